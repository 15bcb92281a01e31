//! Refuses pages that would cost the tree builder too much, before it sees them.

use kernel::Result;

use crate::fault;
use crate::limits::Limits;

/// Elements that the parser closes by itself; leaving them open does not nest.
const SELF_CLOSING: &[&str] = &[
    "p", "li", "dt", "dd", "td", "th", "tr", "option", "optgroup", "thead", "tbody", "tfoot",
    "colgroup", "rt", "rp", "br", "hr", "img", "input", "meta", "link", "area", "base", "col",
    "embed", "source", "track", "wbr", "html", "body", "head", "!doctype",
];
/// Elements that the parser opens anew in every block while they are not closed.
const FORMATTING: &[&str] = &[
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];
/// Elements the tree builder may make in all.
const NODES: usize = 20_000_000;

/// Walks over the tags of the page and counts how deep they nest.
pub(super) fn check(name: &str, text: &str, limits: &Limits) -> Result<()> {
    let bytes = text.as_bytes();
    let (mut at, mut tags) = (0, 0usize);
    let (mut depth, mut formatting) = (0usize, 0usize);
    let mut most_formatting = 0usize;
    while let Some(offset) = text[at..].find('<') {
        at += offset + 1;
        let closing = bytes.get(at) == Some(&b'/');
        let start = at + usize::from(closing);
        let len = bytes[start..]
            .iter()
            .take(16)
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'!')
            .count();
        if len == 0 {
            continue;
        }
        let tag = text[start..start + len].to_ascii_lowercase();
        tags += 1;
        if !closing && matches!(tag.as_str(), "script" | "style" | "textarea") {
            at = skip_raw(text, start, &tag);
            continue;
        }
        if SELF_CLOSING.contains(&tag.as_str()) {
            continue;
        }
        let format = FORMATTING.contains(&tag.as_str());
        let count = if format { &mut formatting } else { &mut depth };
        *count = if closing {
            count.saturating_sub(1)
        } else {
            *count + 1
        };
        most_formatting = most_formatting.max(formatting);
        if depth + formatting > limits.xml_depth {
            return Err(fault::unsafe_file(
                name,
                &format!("网页标签嵌套超过 {} 层", limits.xml_depth),
            ));
        }
    }
    if tags.saturating_mul(most_formatting + 1) > NODES {
        return Err(fault::unsafe_file(name, "网页标签过多且没有正确关闭"));
    }
    Ok(())
}

fn skip_raw(text: &str, start: usize, tag: &str) -> usize {
    let end = format!("</{tag}");
    let bytes = text.as_bytes();
    let found = bytes[start..]
        .windows(end.len())
        .position(|w| w.eq_ignore_ascii_case(end.as_bytes()));
    found.map_or(text.len(), |offset| start + offset + end.len())
}
