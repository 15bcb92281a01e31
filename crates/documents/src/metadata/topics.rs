//! What a document is about: a small table of the fields of government work, by the words that tell them.

use std::sync::LazyLock;

use super::View;
use crate::document::Heading;
use crate::page::Hint;
use crate::structure::is_organ;

/// Topics of one document.
const MOST: usize = 3;

/// The table, in the order in which equally likely topics are named.
static TABLE: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    let lines = include_str!("topics.tsv").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut columns = line.split('\t');
            Some(Topic {
                field: columns.next()?,
                name: columns.next()?,
                words: columns.next()?.split(' ').collect(),
            })
        })
        .collect()
});

/// A line of the table.
struct Topic {
    field: &'static str,
    name: &'static str,
    words: Vec<&'static str>,
}

/// The field that a topic belongs to: 民生保障 of 医疗保障.
pub fn field_of_topic(topic: &str) -> Option<&'static str> {
    let found = TABLE.iter().find(|known| known.name == topic)?;
    Some(found.field)
}

/// How much of the text its topic's words cover; a longer word tells more.
fn weight(text: &str, words: &[&str]) -> usize {
    words
        .iter()
        .map(|word| text.matches(word).count() * word.chars().count())
        .sum()
}

/// Whether the line tells who adopted or changed a law, and when: it says nothing of what the law is about.
fn adopts(line: &str) -> bool {
    line.chars().count() <= 300
        && ["会议", "通过", "修正", "修订", "批准"]
            .iter()
            .any(|word| line.contains(word))
        && lang::date::find(line)
            .first()
            .is_some_and(|date| date.span.start < 30)
}

/// The topics of a document: those of the title, and where it tells none those of the headings, else of the opening.
pub(crate) fn find(view: &View<'_>, title: &str, outline: &[Heading]) -> Vec<String> {
    let headings: Vec<&str> = outline
        .iter()
        .map(|heading| heading.title.as_str())
        .collect();
    let opening: String = view
        .page
        .blocks
        .iter()
        .enumerate()
        .filter(|(_, block)| block.hint != Hint::Rule)
        .take(16)
        .map(|(at, _)| view.page.str(at))
        .filter(|line| !adopts(line) && !is_organ(line))
        .collect::<Vec<_>>()
        .join("\n")
        .chars()
        .take(600)
        .collect();
    // The names of those who issue it are not what it is about.
    let title = match title.split_once("关于") {
        Some((organs, about)) if is_organ(organs.trim_end_matches("印发").trim()) => about,
        _ => title,
    };
    // A word in the opening may only be mentioned.
    for (text, least) in [
        (title, 1),
        (headings.join("\n").as_str(), 4),
        (opening.as_str(), 6),
    ] {
        let mut told: Vec<(usize, usize)> = TABLE
            .iter()
            .enumerate()
            .map(|(at, topic)| (weight(text, &topic.words), at))
            .filter(|(weight, _)| *weight >= least)
            .collect();
        told.sort_by_key(|(weight, at)| (std::cmp::Reverse(*weight), *at));
        // What is told much less than the first is told by the way.
        let most = told.first().map_or(0, |(weight, _)| *weight);
        let topics: Vec<String> = told
            .into_iter()
            .filter(|(weight, _)| weight * 3 >= most)
            .take(MOST)
            .map(|(_, at)| TABLE[at].name.to_owned())
            .collect();
        if !topics.is_empty() {
            return topics;
        }
    }
    Vec::new()
}
