//! Where a text may be cut: at sentences, outside of quotes and brackets.

use std::ops::Range;

/// Quotes and brackets longer than this many characters do not protect what is inside.
const PROTECTED: usize = 300;

fn closer(open: char) -> Option<char> {
    Some(match open {
        '“' => '”',
        '‘' => '’',
        '（' => '）',
        '(' => ')',
        '《' => '》',
        '〈' => '〉',
        '【' => '】',
        '「' => '」',
        '『' => '』',
        '[' => ']',
        '〔' => '〕',
        _ => return None,
    })
}

/// The byte behind the bracket or quote that opens at the start of `text`, if it closes soon and on the same line.
pub(crate) fn enclosed(text: &str) -> Option<usize> {
    let open = text.chars().next()?;
    let close = closer(open)?;
    let mut depth = 0usize;
    for (at, c) in text.char_indices().take(PROTECTED) {
        if c == '\n' {
            return None;
        }
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(at + c.len_utf8());
            }
        }
    }
    None
}

pub(crate) fn count(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// Byte offsets behind each sentence (。！？； and line ends), quotes and brackets kept whole.
fn sentences(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if let Some(len) = enclosed(&text[at..]) {
            at += len;
            // “……。” ends a sentence as well.
            let inside = text[..at].char_indices().rev().nth(1).map(|(_, c)| c);
            if matches!(c, '“' | '「') && matches!(inside, Some('。' | '！' | '？')) {
                ends.push(at);
            }
            continue;
        }
        at += c.len_utf8();
        if matches!(c, '。' | '！' | '？' | '；' | '\n') {
            while let Some(next) = text[at..]
                .chars()
                .next()
                .filter(|c| matches!(c, '”' | '’' | '）' | '」' | '。' | '！' | '？'))
            {
                at += next.len_utf8();
            }
            ends.push(at);
        }
    }
    if ends.last() != Some(&text.len()) {
        ends.push(text.len());
    }
    ends
}

/// Byte offset of at most `most` characters into `text`, behind a comma or blank if there is one in the second half.
fn hard_cut(text: &str, most: usize) -> usize {
    let end = text
        .char_indices()
        .nth(most)
        .map_or(text.len(), |(at, _)| at);
    let soft = text[..end]
        .char_indices()
        .rev()
        .take(most / 2)
        .find(|(_, c)| matches!(c, '，' | '、' | ',' | '：' | ';' | '.') || c.is_whitespace());
    soft.map_or(end, |(at, c)| at + c.len_utf8())
}

/// Cuts `span` into pieces of at most `most` characters at sentence ends, in the middle of a sentence only where one is longer.
pub(crate) fn pieces(text: &str, span: Range<usize>, most: usize) -> Vec<Range<usize>> {
    let slice = &text[span.clone()];
    let mut out = Vec::new();
    let (mut start, mut end, mut size) = (0usize, 0usize, 0usize);
    for cut in sentences(slice) {
        let length = slice[end..cut].chars().count();
        if size > 0 && size + length > most {
            out.push(start..end);
            start = end;
            size = 0;
        }
        let mut from = start;
        if size == 0 && length > most {
            while slice[from..cut].chars().nth(most).is_some() {
                let next = from + hard_cut(&slice[from..cut], most);
                out.push(from..next);
                from = next;
            }
            start = from;
            size = slice[from..cut].chars().count();
        } else {
            size += length;
        }
        end = cut;
    }
    if start < slice.len() {
        out.push(start..slice.len());
    }
    out.into_iter()
        .filter_map(|r| trimmed(text, span.start + r.start..span.start + r.end))
        .collect()
}

/// The range without blanks at its ends; `None` when nothing is left.
pub(crate) fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let slice = &text[range.clone()];
    let inner = slice.trim_start();
    let start = range.start + slice.len() - inner.len();
    let inner = inner.trim_end();
    (!inner.is_empty()).then(|| start..start + inner.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_behind_sentences_and_not_within_quotes() {
        let text = "他说：“一。二。三。”然后走了。第二句话在这里。第三句。";
        let cut: Vec<&str> = pieces(text, 0..text.len(), 15)
            .into_iter()
            .map(|r| &text[r])
            .collect();
        assert_eq!(
            cut,
            [
                "他说：“一。二。三。”",
                "然后走了。第二句话在这里。",
                "第三句。"
            ]
        );
    }

    #[test]
    fn cuts_a_sentence_that_never_ends() {
        let text = "长".repeat(950);
        let lengths: Vec<usize> = pieces(&text, 0..text.len(), 400)
            .into_iter()
            .map(|r| text[r].chars().count())
            .collect();
        assert_eq!(lengths, [400, 400, 150]);
    }
}
