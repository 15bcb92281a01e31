//! Web pages: the main content as lines, and what the page's head says.

mod content;
mod guard;
mod walk;

use ego_tree::NodeRef;
use kernel::Result;
use scraper::{Html, Node, Selector};

use crate::limits::Limits;
use crate::page::{Hint, Line, Said, Source, clean};
use crate::{charset, fault, metadata};

pub(crate) fn lines(name: &str, bytes: &[u8], limits: &Limits) -> Result<Source> {
    let text = charset::decode(bytes, charset::declared(bytes)).ok_or_else(|| {
        fault::unsupported(
            name,
            "内容不是网页文字，或用了不认识的编码。请另存为 UTF-8 编码",
        )
    })?;
    guard::check(name, &text, limits)?;
    let page = Html::parse_document(&text);
    let skip = content::Skip::of(&page);
    let root = content::main(&page, &skip);
    let mut source = Source {
        lines: walk::lines(root, &skip),
        said: said(&page, &skip),
        ..Source::default()
    };
    prepend_title(&page, root, &mut source);
    Ok(source)
}

/// The page's heading often stands outside of the content.
fn prepend_title(page: &Html, root: NodeRef<'_, Node>, source: &mut Source) {
    let Ok(selector) = Selector::parse("h1") else {
        return;
    };
    let inside = |node: NodeRef<'_, Node>| node.ancestors().any(|up| up.id() == root.id());
    let Some(h1) = page.select(&selector).find(|h1| !inside(**h1)) else {
        return;
    };
    let title = walk::text(*h1);
    let title = title.trim();
    let first = source
        .lines
        .iter()
        .find(|line| !line.text.trim().is_empty());
    let repeated = first.is_some_and(|line| squeeze(&line.text) == squeeze(title));
    if !title.is_empty() && title.chars().count() <= 100 && !repeated {
        source.lines.insert(0, Line::new(title, Hint::Title));
    }
}

fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn meta(page: &Html, names: &[&str]) -> Option<String> {
    let selector = Selector::parse("meta").ok()?;
    names.iter().find_map(|wanted| {
        page.select(&selector).find_map(|tag| {
            let name = tag.attr("name").or_else(|| tag.attr("property"))?;
            let content = clean(tag.attr("content")?.trim());
            (name.eq_ignore_ascii_case(wanted) && !content.is_empty()).then_some(content)
        })
    })
}

fn said(page: &Html, skip: &content::Skip) -> Said {
    let title = meta(page, &["ArticleTitle"]).or_else(|| {
        let selector = Selector::parse("title").ok()?;
        let whole = clean(&page.select(&selector).next()?.text().collect::<String>());
        // 标题_栏目_某市人民政府
        let first = whole.split(['_', '|']).next()?.split(" - ").next()?.trim();
        (!first.is_empty()).then(|| first.to_owned())
    });
    let mut said = Said {
        title,
        issuer: meta(page, &["ContentSource"]).filter(|s| s.chars().count() <= 40),
        issued: meta(page, &["PubDate", "publishdate"])
            .and_then(|s| Some(lang::date::find(&s).first()?.date)),
        ..Said::default()
    };
    for line in walk::lines(content::body(page), skip) {
        if line.text.chars().count() <= 200 {
            metadata::info_line(&line.text, &mut said);
        }
    }
    said
}
