//! Tables of contents are no headings.

use std::ops::Range;

use super::blocks::Item;
use super::mark::Mark;

fn key(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && *c != '…' && *c != '.' && *c != '·')
        .collect::<String>()
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .to_owned()
}

/// The items of a table of contents near the start: a run of short lines that begins with a chapter whose title comes again behind it.
pub(super) fn range(text: &str, items: &[Item]) -> Range<usize> {
    let title = |item: &Item| key(&text[item.span.clone()]);
    let is_title = |item: &Item| matches!(item.mark, Mark::Division { .. });
    let labelled = items
        .iter()
        .take(60)
        .position(|item| matches!(title(item).as_str(), "目录" | "目次"));
    let from = labelled.map_or(0, |at| at + 1);
    let Some(offset) = items.iter().skip(from).take(60).position(is_title) else {
        return 0..0;
    };
    let first = from + offset;
    let want = title(&items[first]);
    let short = |item: &Item| {
        item.size <= 45 && !matches!(item.mark, Mark::Article { .. }) && !item.hint.is_table()
    };
    let run = items[first + 1..]
        .iter()
        .take_while(|item| short(item) && title(item) != want)
        .count();
    let end = first + 1 + run;
    let comes_again = items.get(end).is_some_and(|item| title(item) == want);
    if comes_again && (run >= 1 || labelled.is_some()) {
        labelled.unwrap_or(first)..end
    } else {
        0..0
    }
}
