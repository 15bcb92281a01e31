//! 附件: where one begins, as against the list of them.

use std::sync::LazyLock;

use regex::Regex;

use super::blocks::Item;
use super::cues;
use super::mark::Mark;
use crate::page::Hint;

static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(附[ 　]*(?:件|录|表)?[ 　]*(?:[0-9０-９]{1,2}|[一二三四五六七八九十]{1,3}|[A-Z])?)[ 　]*[:：.．、]?[ 　]*(.*)$").expect("the pattern is fixed")
});

static LISTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[0-9]{1,2}[.．、]").expect("the pattern is fixed"));

/// An annex's heading: its title and the item behind it.
pub(super) struct Start {
    pub(super) title: String,
    pub(super) end: usize,
}

/// The annex that begins at `at`.
pub(super) fn start(text: &str, items: &[Item], at: usize) -> Option<Start> {
    let item = &items[at];
    if item.mark != Mark::Annex {
        return None;
    }
    let found = NAME.captures(&text[item.span.clone()])?;
    let (mut head, mut rest) = (found[1].to_owned(), found[2].to_owned());
    if head.ends_with(|c: char| c.is_ascii_digit())
        && (rest.starts_with(|c: char| c.is_ascii_digit()) || rest.starts_with('年'))
    {
        // 附件2025年……: the digits are the name's.
        let digits = head.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        rest = format!("{}{rest}", &head[digits..]);
        head.truncate(digits);
    }
    let label: String = head.chars().filter(|c| !c.is_whitespace()).collect();
    let name = rest.trim().trim_matches(['（', '）']);
    let marked = matches!(item.hint, Hint::Heading(_));
    let next = items.get(at + 1)?;
    if !marked {
        let listed = matches!(next.mark, Mark::Annex | Mark::Level { depth: 3, .. })
            || LISTED.is_match(name);
        let only_label = name.is_empty() && found[0].trim_end().ends_with(['：', ':']);
        if listed
            || label == "附" && name.is_empty() && !only_label
            || cues::sign_off(text, items, at + 1).is_some()
            || !has_body(items, at + 1)
        {
            return None;
        }
    }
    if !name.is_empty() {
        return Some(Start {
            title: format!("{label} {name}"),
            end: at + 1,
        });
    }
    let follows = &text[next.span.clone()];
    let named = next.mark == Mark::Plain
        && !next.hint.is_table()
        && cues::is_short_title(follows, 50)
        && items.len() > at + 2;
    Some(if named {
        Start {
            title: format!("{label} {}", follows.trim()),
            end: at + 2,
        }
    } else {
        Start {
            title: label,
            end: at + 1,
        }
    })
}

/// Whether text of some length stands between here and the next annex.
fn has_body(items: &[Item], from: usize) -> bool {
    items[from..]
        .iter()
        .take(200)
        .take_while(|item| item.mark != Mark::Annex)
        .any(|item| item.size > 20 || item.hint.is_table() || !matches!(item.mark, Mark::Plain))
}
