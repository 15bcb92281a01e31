//! Tokens for lexical search: characters and character bigrams of Chinese, whole words of Latin letters and digits.
//!
//! Measured on 57,792 statute articles, bigrams with single characters find more than a dictionary segmenter does, at a
//! sixth of the cost (`docs/benchmarks.md`).

/// Makes text comparable: full-width forms become half-width, letters lower-case, 〇 becomes 零.
pub fn normalise(text: &str) -> String {
    text.chars()
        .flat_map(|c| normalise_char(c).to_lowercase())
        .collect()
}

fn normalise_char(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        '〇' => '零',
        _ => c,
    }
}

/// Whether a character is a Chinese ideograph of the basic plane.
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}')
}

/// A stretch of text without a border inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run<'a> {
    /// Chinese ideographs.
    Han(&'a str),
    /// Latin letters and digits, with a decimal point between digits.
    Word(&'a str),
}

/// The runs of a normalised text, in order.
pub fn runs(text: &str) -> Vec<Run<'_>> {
    let mut out = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let same: fn(char) -> bool = if is_han(c) {
            is_han
        } else if word(c) {
            |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.'
        } else {
            continue;
        };
        let mut end = start + c.len_utf8();
        while let Some((at, next)) = chars.next_if(|(_, next)| same(*next)) {
            end = at + next.len_utf8();
        }
        let run = text[start..end].trim_end_matches('.');
        out.push(if is_han(c) {
            Run::Han(run)
        } else {
            Run::Word(run)
        });
    }
    out
}

/// Calls `visit` with each token of a normalised text: each character and each bigram of Chinese, each word.
pub fn visit<'a>(text: &'a str, mut visit: impl FnMut(&'a str)) {
    for run in runs(text) {
        match run {
            Run::Word(word) => visit(word),
            Run::Han(han) => {
                let mut previous = None;
                for (start, c) in han.char_indices() {
                    let end = start + c.len_utf8();
                    visit(&han[start..end]);
                    if let Some(before) = previous {
                        visit(&han[before..end]);
                    }
                    previous = Some(start);
                }
            }
        }
    }
}

/// The tokens of a text, normalised first, with their repetitions.
pub fn tokens(text: &str) -> Vec<String> {
    let text = normalise(text);
    let mut out = Vec::new();
    visit(&text, |token| out.push(token.to_owned()));
    out
}

/// Whether a token is a single Chinese character.
pub fn is_character(token: &str) -> bool {
    let mut chars = token.chars();
    chars.next().is_some_and(is_han) && chars.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_gives_characters_and_bigrams_within_punctuation() {
        assert_eq!(
            tokens("住房，公积"),
            ["住", "房", "住房", "公", "积", "公积"]
        );
    }

    #[test]
    fn words_and_decimals_stay_whole_in_any_width_and_case() {
        assert_eq!(tokens("ＡPP v2.5。〇"), ["app", "v2.5", "零"]);
        assert_eq!(tokens("3.5. 1500元"), ["3.5", "1500", "元"]);
    }

    #[test]
    fn nothing_gives_no_token() {
        assert!(tokens("，。!? \n").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn every_token_is_in_the_text(text in "[\\u4e00-\\u4e10a-c0-9.，。 ]{0,40}") {
            let normal = normalise(&text);
            visit(&normal, |token| assert!(normal.contains(token)));
        }
    }
}
