//! Finds the main content of a page.

use std::collections::{HashMap, HashSet};

use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::node::Element;
use scraper::{Html, Node};

/// Elements whose text is never content.
const DROPPED: &[&str] = &[
    "script", "style", "noscript", "template", "nav", "footer", "aside", "button", "select",
    "iframe", "svg", "textarea", "object", "head", "math", "canvas", "video", "audio",
];
/// Names of classes and ids around content that is none.
const SURROUNDINGS: &[&str] = &[
    "nav",
    "navbar",
    "menu",
    "breadcrumb",
    "breadcrumbs",
    "crumb",
    "crumbs",
    "share",
    "bshare",
    "bdsharebuttonbox",
    "print",
    "footer",
    "sidebar",
    "side",
    "toolbar",
    "tools",
    "copyright",
    "pagination",
    "pager",
    "qrcode",
    "ewm",
    "related",
    "recommend",
    "comment",
    "comments",
    "banner",
    "ad",
    "ads",
    "advert",
    "login",
    "search",
    "fontsize",
    "font-size",
    "position",
    "location",
    "dqwz",
    "curpos",
    "current-position",
    "site-nav",
    "top-nav",
    "main-nav",
    "site-header",
    "page-header",
    "site-footer",
    "page-footer",
    "links",
    "friendlink",
    "hidden",
    "xgwj",
    "xgyd",
    "related-links",
    "header",
    "topbar",
    "skip-link",
    "weizhi",
];
/// Names of the element that holds the text on government sites.
const CONTAINERS: &[&str] = &[
    "trs_editor",
    "trs_ueditor",
    "ucap-content",
    "ucapcontent",
    "zoom",
    "article-content",
    "article_content",
    "pages_content",
    "news_conent_two_text",
    "view",
    "tys-main-zt-show",
    "xxgk-detail-content",
    "content-text",
    "articlecontent",
    "artibody",
];

/// The elements that are left out.
pub(super) struct Skip(HashSet<NodeId>);

impl Skip {
    pub(super) fn of(page: &Html) -> Self {
        let strict: HashSet<NodeId> = dropped(page, true);
        let lax = dropped(page, false);
        let (with, without) = (total(page, &strict), total(page, &lax));
        // A page whose own wrapper is named like a menu would lose its text.
        Skip(if with * 10 >= without * 3 {
            strict
        } else {
            lax
        })
    }
}

fn names(element: &Element) -> impl Iterator<Item = String> {
    element.classes().chain(element.id()).map(str::to_lowercase)
}

fn in_article(node: NodeRef<'_, Node>) -> bool {
    node.ancestors().any(|up| {
        up.value()
            .as_element()
            .is_some_and(|e| matches!(e.name(), "article" | "main"))
    })
}

fn dropped(page: &Html, by_name: bool) -> HashSet<NodeId> {
    page.tree
        .root()
        .descendants()
        .filter(|node| {
            let Some(element) = node.value().as_element() else {
                return false;
            };
            if matches!(
                element.name(),
                "html" | "body" | "main" | "article" | "table" | "tbody" | "tr" | "td" | "h1"
            ) {
                return false;
            }
            let style = element
                .attr("style")
                .unwrap_or("")
                .replace(' ', "")
                .to_lowercase();
            DROPPED.contains(&element.name())
                || element.name() == "header" && !in_article(*node)
                || element.attr("hidden").is_some()
                || style.contains("display:none")
                || by_name && names(element).any(|name| SURROUNDINGS.contains(&name.as_str()))
        })
        .map(|node| node.id())
        .collect()
}

/// Walks over what is not left out, in order.
pub(super) fn walk<'a>(
    root: NodeRef<'a, Node>,
    skip: &Skip,
    visit: &mut dyn FnMut(Edge<'a, Node>),
) {
    walk_except(root, &skip.0, visit);
}

fn walk_except<'a>(
    root: NodeRef<'a, Node>,
    skip: &HashSet<NodeId>,
    visit: &mut dyn FnMut(Edge<'a, Node>),
) {
    let mut within: Option<NodeId> = None;
    for edge in root.traverse() {
        match (&edge, within) {
            (Edge::Close(node), Some(skipped)) if node.id() == skipped => within = None,
            (_, Some(_)) => {}
            (Edge::Open(node), None) if skip.contains(&node.id()) => within = Some(node.id()),
            _ => visit(edge),
        }
    }
}

/// Characters of text per element, links not counted.
fn weights(page: &Html, skip: &HashSet<NodeId>) -> HashMap<NodeId, usize> {
    let mut weights = HashMap::new();
    let mut open: Vec<usize> = Vec::new();
    let mut links = 0usize;
    walk_except(page.tree.root(), skip, &mut |edge| match edge {
        Edge::Open(node) => {
            if is_link(node) {
                links += 1;
            }
            let own = match node.value() {
                Node::Text(text) if links == 0 => {
                    text.chars().filter(|c| !c.is_whitespace()).count()
                }
                _ => 0,
            };
            open.push(own);
        }
        Edge::Close(node) => {
            if is_link(node) {
                links = links.saturating_sub(1);
            }
            let weight = open.pop().unwrap_or(0);
            if let Some(parent) = open.last_mut() {
                *parent += weight;
            }
            if node.value().is_element() || node.parent().is_none() {
                weights.insert(node.id(), weight);
            }
        }
    });
    weights
}

fn is_link(node: NodeRef<'_, Node>) -> bool {
    node.value().as_element().is_some_and(|e| e.name() == "a")
}

fn total(page: &Html, skip: &HashSet<NodeId>) -> usize {
    weights(page, skip)
        .get(&page.tree.root().id())
        .copied()
        .unwrap_or(0)
}

/// The body, or the whole page where there is none.
pub(super) fn body(page: &Html) -> NodeRef<'_, Node> {
    let root = page.tree.root();
    root.descendants()
        .find(|node| {
            node.value()
                .as_element()
                .is_some_and(|e| e.name() == "body")
        })
        .unwrap_or(root)
}

/// The element that holds the text: one with a known name, else the innermost with nearly all of the page's text.
pub(super) fn main<'a>(page: &'a Html, skip: &Skip) -> NodeRef<'a, Node> {
    let weights = weights(page, &skip.0);
    let weight = |node: &NodeRef<'_, Node>| weights.get(&node.id()).copied().unwrap_or(0);
    let body = body(page);
    let whole = weight(&body);
    let known = body.descendants().filter(|node| {
        let Some(element) = node.value().as_element() else {
            return false;
        };
        let named = names(element).any(|name| CONTAINERS.contains(&name.as_str()));
        (named || matches!(element.name(), "article" | "main")) && weight(node) * 2 >= whole
    });
    if let Some(container) = known.last() {
        return container;
    }
    let mut node = body;
    loop {
        let heavy = node
            .children()
            .find(|child| child.value().is_element() && weight(child) * 100 >= whole * 85);
        match heavy {
            Some(child) if whole > 0 && !stays_whole(child) => node = child,
            _ => return node,
        }
    }
}

/// A table, paragraph or list is content as a whole.
fn stays_whole(node: NodeRef<'_, Node>) -> bool {
    node.value()
        .as_element()
        .is_some_and(|e| matches!(e.name(), "table" | "p" | "ul" | "ol" | "dl"))
}
