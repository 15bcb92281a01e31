//! What a reply's text passes before it is given out: a model's thinking aloud is left out, and it ends before the words
//! it is told to end before, however it is cut into pieces.

/// Around what some models think before they reply.
const THINKING: [&str; 2] = ["<think>", "</think>"];

/// Where in a reply the text stands.
#[derive(Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing but blanks so far, or the beginning of a mark.
    Start,
    Thinking,
    /// After thinking, before the first letter.
    Blank,
    Reply,
    Stopped,
}

/// Shapes one reply.
#[derive(Debug)]
pub(crate) struct Shaping {
    phase: Phase,
    stop: Vec<String>,
    held: String,
}

impl Shaping {
    /// For a reply that ends before any of these.
    pub(crate) fn new(stop: &[String]) -> Self {
        Self {
            phase: Phase::Start,
            stop: stop
                .iter()
                .filter(|stop| !stop.is_empty())
                .cloned()
                .collect(),
            held: String::new(),
        }
    }

    /// Whether the reply has come to its end.
    pub(crate) fn stopped(&self) -> bool {
        self.phase == Phase::Stopped
    }

    /// Takes in a piece and returns what can be given out now.
    pub(crate) fn push(&mut self, piece: &str) -> String {
        self.held += piece;
        if self.phase == Phase::Start {
            let text = self.held.trim_start();
            if let Some(thought) = text.strip_prefix(THINKING[0]) {
                self.held = thought.to_owned();
                self.phase = Phase::Thinking;
            } else if THINKING[0].starts_with(text) {
                return String::new();
            } else {
                self.phase = Phase::Reply;
            }
        }
        if self.phase == Phase::Thinking {
            match self.held.find(THINKING[1]) {
                Some(at) => {
                    self.held.drain(..at + THINKING[1].len());
                    self.phase = Phase::Blank;
                }
                None => {
                    let keep = partial(&self.held, THINKING[1]);
                    self.held.drain(..self.held.len() - keep);
                    return String::new();
                }
            }
        }
        if self.phase == Phase::Blank {
            self.held = self.held.trim_start().to_owned();
            if self.held.is_empty() {
                return String::new();
            }
            self.phase = Phase::Reply;
        }
        self.reply()
    }

    fn reply(&mut self) -> String {
        if self.stopped() {
            self.held.clear();
            return String::new();
        }
        // Whichever is whole first, so that it makes no difference how the text is cut.
        let found = self.stop.iter().filter_map(|stop| {
            let at = self.held.find(stop)?;
            Some((at + stop.len(), at))
        });
        if let Some((_, at)) = found.min() {
            self.held.truncate(at);
            self.phase = Phase::Stopped;
            return std::mem::take(&mut self.held);
        }
        let keep = self.stop.iter().map(|stop| partial(&self.held, stop)).max();
        let rest = self
            .held
            .split_off(self.held.len() - keep.unwrap_or_default());
        std::mem::replace(&mut self.held, rest)
    }

    /// What is left at the end of the reply.
    pub(crate) fn finish(&mut self) -> String {
        match self.phase {
            Phase::Thinking | Phase::Blank | Phase::Stopped => String::new(),
            Phase::Start | Phase::Reply => std::mem::take(&mut self.held),
        }
    }
}

/// How many bytes at the end of a text may be the beginning of a word.
fn partial(text: &str, word: &str) -> usize {
    let longest = word.len().min(text.len() + 1);
    (1..longest)
        .rev()
        .find(|&length| word.is_char_boundary(length) && text.ends_with(&word[..length]))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shaped(pieces: &[&str], stop: &[&str]) -> (String, bool) {
        let stop: Vec<String> = stop.iter().map(|stop| (*stop).to_owned()).collect();
        let mut shaping = Shaping::new(&stop);
        let mut text: String = pieces.iter().map(|piece| shaping.push(piece)).collect();
        text += &shaping.finish();
        (text, shaping.stopped())
    }

    #[test]
    fn thinking_is_left_out_only_at_the_beginning() {
        for (text, want) in [
            ("<think>嗯</think>\n\n可以。", "可以。"),
            (" \n<think></think>可以。", "可以。"),
            ("可以<think>嗯</think>。", "可以<think>嗯</think>。"),
            ("<thin", "<thin"),
            ("<think>没想完", ""),
            ("  可以。", "  可以。"),
        ] {
            assert_eq!(shaped(&[text], &[]).0, want, "{text}");
        }
    }

    #[test]
    fn the_stop_that_is_whole_first_counts() {
        let (text, stopped) = shaped(&["甲乙丙丁戊"], &["丁", "乙丙", ""]);
        assert_eq!((text.as_str(), stopped), ("甲", true));
        let (text, stopped) = shaped(&["甲乙", "丙"], &["丙丁"]);
        assert_eq!((text.as_str(), stopped), ("甲乙丙", false));
    }

    proptest! {
        #[test]
        fn it_makes_no_difference_how_a_reply_is_cut(
            text in "(<think>[a甲</]{0,6}(</think>)?)?[a甲b \n]{0,12}",
            stop in prop::collection::vec("[a甲b]{1,3}", 0..3),
        ) {
            let stop: Vec<&str> = stop.iter().map(String::as_str).collect();
            let letters: Vec<String> = text.chars().map(String::from).collect();
            let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
            prop_assert_eq!(shaped(&letters, &stop), shaped(&[&text], &stop));
        }
    }
}
