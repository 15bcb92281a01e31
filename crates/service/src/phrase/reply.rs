//! A model's reply into sentences with the marks of what they stand on, while it is written.

use std::sync::LazyLock;

use regex::Regex;

/// A sentence as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    /// Without marks and list signs.
    pub(super) text: String,
    /// The numbers it names.
    pub(super) marks: Vec<usize>,
}

/// Cuts sentences off what has been written so far.
#[derive(Default)]
pub(super) struct Sentences {
    pending: String,
}

static MARK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"[〔\[【［(（]\s*(?:资料|来源|依据)?\s*(\d{1,2}(?:\s*[,，、]\s*\d{1,2})*)\s*[〕\]】］)）]",
    )
    .expect("a fixed pattern")
});

static LIST_SIGN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:\*\*|[-*•·]\s*|\d{1,2}[.、．)）]\s*|#{1,6}\s*)").expect("a fixed pattern")
});

/// A mark may follow the full stop, so so many characters are waited for.
const AHEAD: usize = 12;

impl Sentences {
    /// Takes more of the reply and gives the sentences that are complete.
    pub(super) fn push(&mut self, text: &str) -> Vec<Written> {
        self.pending += text;
        let mut found = Vec::new();
        while let Some(end) = self.complete() {
            let sentence: String = self.pending.drain(..end).collect();
            found.extend(written(&sentence));
        }
        found
    }

    /// What is left at the end of the reply.
    pub(super) fn finish(mut self) -> Vec<Written> {
        self.pending.push_str("\n\n");
        self.pending.extend(std::iter::repeat_n(' ', AHEAD));
        let mut found = self.push("");
        found.extend(written(&self.pending));
        found
    }

    /// Where the first sentence ends, once what follows shows that no mark belongs to it.
    fn complete(&self) -> Option<usize> {
        let text = &self.pending;
        let (at, end) = text
            .char_indices()
            .find(|(_, c)| matches!(c, '。' | '！' | '？' | '；' | '\n'))?;
        let mut end = at + end.len_utf8();
        loop {
            let rest = &text[end..];
            let blank = rest.len() - rest.trim_start_matches([' ', '”', '」', '*']).len();
            match MARK.find(&rest[blank..]).filter(|m| m.start() == 0) {
                Some(mark) => end += blank + mark.end(),
                None if rest.chars().count() < AHEAD && !rest.contains('\n') => return None,
                None => return Some(end),
            }
        }
    }
}

fn written(sentence: &str) -> Option<Written> {
    let mut marks = Vec::new();
    for found in MARK.captures_iter(sentence) {
        for number in found[1].split([',', '，', '、']) {
            if let Ok(n) = number.trim().parse() {
                marks.push(n);
            }
        }
    }
    let text = MARK.replace_all(sentence, "");
    let text = LIST_SIGN.replace(&text, "");
    let mut text = text.replace("**", "").trim().to_owned();
    if text.chars().filter(|c| c.is_alphanumeric()).count() < 2 {
        return None;
    }
    if !text.ends_with(['。', '！', '？', '；', '：', ':', '”', '」']) {
        text.push('。');
    }
    Some(Written { text, marks })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, size: usize) -> Vec<Written> {
        let mut sentences = Sentences::default();
        let characters: Vec<char> = text.chars().collect();
        let mut found = Vec::new();
        for piece in characters.chunks(size) {
            found.extend(sentences.push(&piece.iter().collect::<String>()));
        }
        found.extend(sentences.finish());
        found
    }

    #[test]
    fn sentences_keep_their_marks_wherever_they_stand_and_however_the_reply_comes() {
        let reply = "**可以申请**提取〔1〕。每月不超过1500元。〔1〕[2]\n- 材料：身份证（3）；\n2. 到窗口办理【资料2、3】\n。\n";
        let want = [
            ("可以申请提取。", vec![1]),
            ("每月不超过1500元。", vec![1, 2]),
            ("材料：身份证；", vec![3]),
            ("到窗口办理。", vec![2, 3]),
        ];
        for size in [1, 2, 5, 100] {
            let got = cut(reply, size);
            let got: Vec<_> = got
                .iter()
                .map(|w| (w.text.as_str(), w.marks.clone()))
                .collect();
            assert_eq!(got, want, "{size}");
        }
    }

    #[test]
    fn a_reply_without_an_end_or_of_nothing_is_no_trouble() {
        assert_eq!(cut("", 1), []);
        assert_eq!(cut("。。\n\n", 1), []);
        assert_eq!(cut("没有写完", 3)[0].text, "没有写完。");
    }
}
