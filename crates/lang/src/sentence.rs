//! Sentences and the parts they are made of, as byte ranges of the text.

use std::ops::Range;

/// Closing marks that belong to the sentence before them.
const CLOSING: [char; 7] = ['”', '’', '」', '』', '）', '》', '"'];

/// The sentences of a text: up to 。！？； or a line's end, closing quotes and brackets included. Blank ones are left out;
/// ranges don't begin or end with blanks.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    split(text, |c| {
        matches!(c, '。' | '！' | '？' | '；' | '!' | '?' | ';' | '\n')
    })
}

/// The parts of a text: up to any of 。！？；，：、 or a line's end.
pub fn parts(text: &str) -> Vec<Range<usize>> {
    split(text, |c| {
        matches!(
            c,
            '。' | '！' | '？' | '；' | '!' | '?' | ';' | '\n' | '，' | ',' | '：' | ':'
        )
    })
}

fn split(text: &str, ends: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !ends(c) {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((next, mark)) = chars.next_if(|(_, n)| CLOSING.contains(n)) {
            end = next + mark.len_utf8();
        }
        push(text, start..end, &mut out);
        start = end;
    }
    push(text, start..text.len(), &mut out);
    out
}

fn push(text: &str, range: Range<usize>, out: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    let start = range.start + piece.len() - piece.trim_start().len();
    let end = range.end - (piece.len() - piece.trim_end().len());
    if start < end {
        out.push(start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|r| &text[r]).collect()
    }

    #[test]
    fn closing_marks_stay_with_their_sentence() {
        assert_eq!(
            texts("他说：“可以。”好吗？\n\n 是；不是"),
            ["他说：“可以。”", "好吗？", "是；", "不是"]
        );
        assert!(texts(" \n ").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn sentences_are_ordered_and_lose_nothing_but_blanks(text in "[一二。；\\n ”a]{0,30}") {
            let mut last = 0;
            let mut kept = String::new();
            for r in sentences(&text) {
                assert!(r.start >= last && r.end > r.start);
                last = r.end;
                kept.push_str(&text[r]);
            }
            let bare = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(bare(&kept), bare(&text));
        }
    }
}
