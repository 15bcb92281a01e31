//! A question becomes weighted terms: function words go, everyday words bring their official terms along.

use std::{collections::BTreeSet, sync::LazyLock};

use lang::token::{is_character, normalise, visit};
use regex::Regex;

/// The weight of terms that the question didn't use itself.
const EXPANDED: f32 = 0.4;

/// A question, understood as words.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Normalised, function words replaced by blanks.
    pub content: String,
    /// Distinct tokens with their weights, in order of occurrence.
    pub terms: Vec<(String, f32)>,
    /// The everyday words found with the official terms they stand for.
    pub expanded: Vec<Expansion>,
    /// The characters of the question and of the official terms.
    pub characters: BTreeSet<char>,
}

/// An everyday word and the official terms it stands for.
#[derive(
    Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Expansion {
    /// As asked.
    pub term: String,
    /// As documents say it.
    pub to: Vec<String>,
}

struct Lexicon {
    terms: Vec<(String, Vec<String>)>,
    term: Regex,
    stop: Regex,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let rows = |text: &'static str| {
        text.lines()
            .filter(|l| !l.starts_with('#') && !l.trim().is_empty())
    };
    let terms: Vec<(String, Vec<String>)> = rows(include_str!("data/terms.tsv"))
        .filter_map(|l| l.split_once('\t'))
        .map(|(word, to)| (word.to_owned(), to.split(',').map(str::to_owned).collect()))
        .collect();
    let stops: Vec<&str> = rows(include_str!("data/stopwords.txt"))
        .map(str::trim)
        .collect();
    let words: Vec<&str> = terms.iter().map(|(w, _)| w.as_str()).collect();
    Lexicon {
        term: longest_first(words),
        stop: longest_first(stops),
        terms,
    }
});

fn longest_first(mut words: Vec<&str>) -> Regex {
    words.sort_by(|a, b| {
        b.chars()
            .count()
            .cmp(&a.chars().count())
            .then_with(|| a.cmp(b))
    });
    let words: Vec<String> = words.into_iter().map(regex::escape).collect();
    Regex::new(&words.join("|")).expect("escaped words")
}

impl Question {
    /// Understands a question. `character` is the weight of single characters beside that of bigrams and words, 1.
    pub fn new(text: &str, character: f32) -> Self {
        let asked = normalise(text);
        let mut content = LEXICON.stop.replace_all(&asked, " ").into_owned();
        if lang::token::runs(&content).is_empty() {
            content.clone_from(&asked);
        }
        let weight = |token: &str| if is_character(token) { character } else { 1.0 };
        let mut terms: Vec<(String, f32)> = Vec::new();
        visit(&content, |token| {
            match terms.iter_mut().find(|(t, _)| t == token) {
                Some((_, w)) => *w += weight(token),
                None => terms.push((token.to_owned(), weight(token))),
            }
        });
        let mut expanded: Vec<Expansion> = Vec::new();
        for found in LEXICON.term.find_iter(&content) {
            let Some((term, to)) = LEXICON.terms.iter().find(|(t, _)| t == found.as_str()) else {
                continue;
            };
            if !expanded.iter().any(|e| e.term == *term) {
                expanded.push(Expansion {
                    term: term.clone(),
                    to: to.clone(),
                });
            }
        }
        let mut characters: BTreeSet<char> = asked.chars().collect();
        for official in expanded.iter().flat_map(|e| &e.to) {
            characters.extend(official.chars());
            if content.contains(official.as_str()) {
                continue;
            }
            visit(official, |token| {
                if !terms.iter().any(|(t, _)| t == token) {
                    terms.push((token.to_owned(), EXPANDED * weight(token)));
                }
            });
        }
        Self {
            content,
            terms,
            expanded,
            characters,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_words_go_and_official_terms_come() {
        let q = Question::new("我生二胎了，有没有政府给补贴的政策？", 0.8);
        assert!(!q.content.contains("有没有"));
        let tokens: Vec<&str> = q.terms.iter().map(|(t, _)| t.as_str()).collect();
        assert!(
            tokens.contains(&"补贴") && tokens.contains(&"津贴") && tokens.contains(&"二孩"),
            "{tokens:?}"
        );
        let weight = |token: &str| q.terms.iter().find(|(t, _)| t == token).map(|(_, w)| *w);
        assert_eq!(weight("补贴"), Some(1.0));
        assert_eq!(weight("津贴"), Some(0.4));
    }

    #[test]
    fn a_question_of_function_words_alone_is_taken_as_it_is() {
        assert!(!Question::new("怎么办", 0.8).terms.is_empty());
        assert!(Question::new("？？？", 0.8).terms.is_empty());
    }
}
