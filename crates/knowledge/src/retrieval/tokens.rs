//! Tokens of passages, as the index takes them.

use lang::token::{normalise, visit};

use super::law::name_of;

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
