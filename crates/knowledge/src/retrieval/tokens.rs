//! Tokens of passages, as the index takes them.

use lang::token::{normalise, visit};

use super::law::name_of;

/// How many characters are embedded of a passage, and at least of its text. Longer ones were no better on statutes.
const EMBEDDED: usize = 260;
const LEAST_TEXT: usize = 120;

/// The tokens of a passage's place: the document's title (a statute's without its ceremonial words) and the headings.
pub fn of_title(title: &str, path: &[String]) -> String {
    let mut place = name_of(&normalise(title));
    for heading in path {
        place.push(' ');
        place.push_str(&normalise(heading));
    }
    spaced(&place)
}

/// The tokens of a passage's text.
pub fn of_text(text: &str) -> String {
    spaced(&normalise(text))
}

/// What is embedded of a passage: where it stands and how it begins. An embedder of a few hundred tokens sees no more.
pub fn to_embed(title: &str, path: &[String], text: &str) -> String {
    let mut out = title.to_owned();
    for heading in path {
        out.push(' ');
        out.push_str(heading);
    }
    out.push(' ');
    let room = EMBEDDED.saturating_sub(out.chars().count()).max(LEAST_TEXT);
    out.extend(text.chars().take(room));
    out
}

fn spaced(normal: &str) -> String {
    let mut out = String::with_capacity(normal.len() * 4);
    visit(normal, |token| {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(token);
    });
    out
}
