//! Passages read back from the stored source before they are shown.

use std::ops::Range;

/// A document's text as it lies in the store, proven unchanged. Positions inside are bytes; those that leave are
/// characters (Unicode code points).
#[derive(Clone, Debug)]
pub struct Text {
    text: String,
}

impl Text {
    /// A text that was read from the store.
    pub fn new(text: String) -> Self {
        Self { text }
    }

    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The passage at these bytes; `None` where they don't lie within the text at character borders.
    pub fn at(&self, span: &Range<usize>) -> Option<&str> {
        self.text.get(span.clone())
    }

    /// Whether the quote stands exactly there.
    pub fn confirms(&self, span: &Range<usize>, quote: &str) -> bool {
        !quote.is_empty() && self.at(span) == Some(quote)
    }

    /// A position in bytes as a position in characters.
    pub fn characters(&self, byte: usize) -> usize {
        self.text.get(..byte).map_or(0, |t| t.chars().count())
    }
}

/// Converts many ascending byte positions of one text to characters in one pass.
#[derive(Debug)]
pub struct CharacterCounter<'a> {
    rest: &'a str,
    byte: usize,
    characters: usize,
}

impl<'a> CharacterCounter<'a> {
    /// Starts at the beginning of the text.
    pub fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            byte: 0,
            characters: 0,
        }
    }

    /// The position in characters of a byte position at or after the last one asked for.
    pub fn at(&mut self, byte: usize) -> usize {
        let (passed, rest) = self
            .rest
            .split_at(byte.saturating_sub(self.byte).min(self.rest.len()));
        self.characters += passed.chars().count();
        self.rest = rest;
        self.byte = byte;
        self.characters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_confirmed_only_where_it_stands() {
        let text = Text::new("每月一千五百元。".into());
        assert!(text.confirms(&(6..21), "一千五百元"));
        assert!(!text.confirms(&(6..21), "一千六百元"));
        assert!(!text.confirms(&(7..21), "一千五百元"));
        assert!(!text.confirms(&(6..99), "一千五百元"));
        assert_eq!(text.characters(6), 2);
    }

    #[test]
    fn positions_are_counted_in_one_pass() {
        let mut counter = CharacterCounter::new("a每月b");
        assert_eq!([0, 1, 4, 7, 8].map(|b| counter.at(b)), [0, 1, 2, 3, 4]);
    }
}
