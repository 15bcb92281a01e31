//! The paragraphs of the page with their marks; a long line that holds a whole document is taken apart first.

use std::ops::Range;

use super::mark::{self, Mark, Marked};
use super::{cues, split};
use crate::page::{Block, Hint, Page};

/// A paragraph with its mark.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) span: Range<usize>,
    pub(crate) hint: Hint,
    pub(crate) mark: Mark,
    /// Bytes of the mark.
    pub(crate) mark_len: usize,
    /// Characters that are not blank.
    pub(crate) size: usize,
}

/// A line longer than this many characters may hold several paragraphs.
const LONG: usize = 300;

/// The items of the page.
pub(crate) fn items(page: &Page) -> Vec<Item> {
    let mut items = Vec::with_capacity(page.blocks.len());
    for (index, block) in page.blocks.iter().enumerate() {
        let long = block.hint == Hint::Plain && page.str(index).chars().nth(LONG).is_some();
        if long {
            for span in take_apart(&page.text, block.span.clone(), index == 0) {
                items.push(item(
                    &page.text,
                    &Block {
                        span,
                        hint: Hint::Plain,
                    },
                ));
            }
        } else {
            items.push(item(&page.text, block));
        }
    }
    items
}

fn item(text: &str, block: &Block) -> Item {
    let slice = &text[block.span.clone()];
    let plain = Marked {
        mark: Mark::Plain,
        len: 0,
    };
    let Marked { mark, len } = match block.hint {
        Hint::Body => plain,
        Hint::Question => Marked {
            mark: Mark::Question,
            len: Some(mark::read(slice))
                .filter(|found| found.mark == Mark::Question)
                .map_or(0, |found| found.len),
        },
        hint if hint.is_table() => plain,
        _ => mark::read(slice),
    };
    Item {
        span: block.span.clone(),
        hint: block.hint,
        mark,
        mark_len: len,
        size: split::count(slice),
    }
}

/// Whether a paragraph can begin at a mark in the middle of a line.
fn begins(text: &str) -> bool {
    let text = text
        .char_indices()
        .nth(120)
        .map_or(text, |(at, _)| &text[..at]);
    match mark::read(text).mark {
        Mark::Plain | Mark::Step { .. } => false,
        Mark::Article { spaced, .. } => spaced,
        Mark::Division { .. } => false,
        Mark::Annex => text.starts_with("附件"),
        _ => true,
    }
}

/// 第一章 总则 第一条 …: a division in the middle of a line ends where an article or another mark begins.
fn division(text: &str) -> bool {
    if !text.starts_with('第') {
        return false;
    }
    let head: String = text.chars().take(30).collect();
    let words: Vec<&str> = head.split_whitespace().collect();
    let title = words
        .iter()
        .skip(1)
        .take(3)
        .take_while(|w| !w.starts_with('第'))
        .count();
    matches!(
        mark::read(words.first().copied().unwrap_or("")).mark,
        Mark::Division { .. }
    ) && (words.len() > title + 1 && words[title + 1].starts_with('第'))
}

fn take_apart(text: &str, span: Range<usize>, first: bool) -> Vec<Range<usize>> {
    let slice = &text[span.clone()];
    let mut cuts = vec![0];
    let (mut at, mut previous) = (0, '\n');
    let mut blanks = 0usize;
    if first {
        // 标题 正文……
        if let Some(end) = slice.find(char::is_whitespace) {
            let size = slice[..end].chars().count();
            if (5..=60).contains(&size) && !slice[..end].contains(['。', '；']) {
                at = end;
                blanks = 2;
                previous = ' ';
            }
        }
    }
    while let Some(c) = slice[at..].chars().next() {
        if c.is_whitespace() {
            blanks += if c == '\u{3000}' { 2 } else { 1 };
            at += c.len_utf8();
            continue;
        }
        let stop = matches!(
            previous,
            '。' | '！' | '？' | '；' | '：' | ':' | ';' | '”' | '）' | '?' | '!'
        );
        let paragraph = blanks >= 2 || blanks == 1 && stop && !matches!(previous, '）');
        if at > 0
            && (paragraph
                || (stop || blanks > 0) && begins(&slice[at..])
                || blanks > 0 && division(&slice[at..]))
        {
            cuts.push(at);
        }
        blanks = 0;
        previous = c;
        match split::enclosed(&slice[at..]) {
            Some(len) => {
                at += len;
                previous = slice[..at].chars().next_back().unwrap_or(c);
            }
            None => at += c.len_utf8(),
        }
    }
    // …… 财政部 生态环境部 2020年2月20日
    let tail = slice
        .rfind(['。', '；', '：', '！', '”', '）'])
        .map_or(0, |at| at + 3);
    if tail > cuts.last().copied().unwrap_or(0) && cues::is_signature(slice[tail..].trim()) {
        cuts.push(tail);
    }
    cuts.push(slice.len());
    cuts.windows(2)
        .filter_map(|pair| split::trimmed(text, span.start + pair[0]..span.start + pair[1]))
        .collect()
}
