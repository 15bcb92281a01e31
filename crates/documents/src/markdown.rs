//! Markdown, read line by line: the marks go, the characters stay. List numbers are the source's own.

use std::sync::LazyLock;

use kernel::Result;
use regex::Regex;

use crate::page::{Hint, Line, Source};
use crate::picture::{Found, Origin};
use crate::plain;

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("the pattern is fixed"));
    };
}

pattern!(ATX, r"^ {0,3}(#{1,6})(?:[ \t　]+(.*?))?(?:[ \t]+#+)?$");
pattern!(
    BARE_ATX,
    r"^(#{1,6})(第.{1,12}[编章节条]|[一二三四五六七八九十]+、|[^#\s].{0,40})$"
);
pattern!(
    RULE,
    r"^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$"
);
pattern!(TABLE_RULE, r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$");
pattern!(
    LINK,
    r"!?\[([^\[\]]*)\]\(\s*<?[^()\s]*(?:\([^()]*\)[^()\s]*)?>?(?:\s+[^)]*)?\)"
);
pattern!(
    IMAGE,
    r#"!\[([^\[\]]*)\]\(\s*(?:<([^<>]*)>|([^()\s]*(?:\([^()]*\)[^()\s]*)?))(?:\s+[^)]*)?\)|(?i-u:<img)\s([^<>]*)>"#
);
pattern!(
    ATTRIBUTE,
    r#"(?i-u:(src|alt))\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"#
);
pattern!(STRONG, r"\*\*([^*]+?)\*\*|__([^_]+?)__");
pattern!(EMPHASIS, r"(^|[^*\w])\*([^*\s](?:[^*]*[^*\s])?)\*");
pattern!(CODE, r"`([^`]+)`");
pattern!(
    TAG,
    r"</?(?i-u:br|p|div|span|b|i|u|strong|em|font|center|sup|sub|a|h[1-6]|hr|small|details|summary)(?:[\s/][^<>]*)?>"
);
pattern!(ESCAPE, r"\\([\\`*_{}\[\]()#+\-.!>~])");

/// Removes inline marks from a line.
fn inline(line: &str) -> String {
    if !line.contains(['*', '_', '`', '[', '<', '\\']) {
        return line.to_owned();
    }
    let text = TAG.replace_all(line, |found: &regex::Captures<'_>| {
        if found[0].to_ascii_lowercase().starts_with("<br") {
            " "
        } else {
            ""
        }
    });
    let text = IMAGE.replace_all(&text, "");
    let text = LINK.replace_all(&text, "$1");
    let text = STRONG.replace_all(&text, "$1$2");
    let text = EMPHASIS.replace_all(&text, "$1$2");
    let text = CODE.replace_all(&text, "$1");
    ESCAPE.replace_all(&text, "$1").into_owned()
}

/// The pictures of a line.
fn pictures(line: &str) -> Vec<Found> {
    if !line.contains("![") && !line.contains('<') {
        return Vec::new();
    }
    let picture = |found: regex::Captures<'_>| {
        let part = |at: usize| found.get(at).map(|m| m.as_str());
        let (alt, address) = match part(4) {
            Some(attributes) => {
                let value = |name: &str| {
                    let mut all = ATTRIBUTE.captures_iter(attributes);
                    let own = all.find(|a| a[1].eq_ignore_ascii_case(name))?;
                    let value = own.get(2).or(own.get(3)).or(own.get(4))?;
                    Some(value.as_str().to_owned())
                };
                (value("alt").unwrap_or_default(), value("src")?)
            }
            None => (
                part(1).unwrap_or("").to_owned(),
                part(2).or(part(3))?.to_owned(),
            ),
        };
        Some(Found {
            alt,
            origin: Origin::Address(address),
        })
    };
    IMAGE.captures_iter(line).filter_map(picture).collect()
}

/// A line of text with the pictures of its source.
fn line(text: &str, hint: Hint) -> Line {
    Line {
        pictures: pictures(text),
        ..Line::new(inline(text), hint)
    }
}

/// The text without comments.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("<!--") {
        out.push_str(&rest[..start]);
        match rest[start..].find("-->") {
            Some(end) => rest = &rest[start + end + 3..],
            None => {
                // Never closed: it is text, and so is all that follows.
                rest = &rest[start..];
                break;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The text behind the front matter, and the front matter.
fn split_front_matter(text: &str) -> (&str, &str) {
    let Some(rest) = text.trim_start_matches('\u{feff}').strip_prefix("---\n") else {
        return ("", text);
    };
    match rest.find("\n---\n") {
        Some(end) if end < 4096 => (&rest[..end], &rest[end + 5..]),
        None if rest.ends_with("\n---") && rest.len() < 4096 => (rest, ""),
        _ => ("", text),
    }
}

fn front_matter_title(front: &str) -> Option<String> {
    let value = front.lines().find_map(|line| line.strip_prefix("title:"))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

fn is_row(line: &str) -> bool {
    line.trim_start().starts_with('|')
        && line.trim_end().ends_with('|')
        && line.matches('|').count() >= 2
}

fn whole_strong(line: &str) -> bool {
    let line = line.trim();
    STRONG
        .find(line)
        .is_some_and(|found| found.range() == (0..line.len()))
}

fn line_of(raw: &str) -> Line {
    let raw = raw.trim_end();
    if let Some(found) = ATX.captures(raw) {
        let level = found[1].len() as u8;
        return line(
            found.get(2).map_or("", |m| m.as_str()),
            Hint::Heading(level),
        );
    }
    if let Some(found) = BARE_ATX.captures(raw) {
        return line(&found[2], Hint::Heading(found[1].len() as u8));
    }
    if RULE.is_match(raw) {
        return Line::new("", Hint::Plain);
    }
    let mut body = raw;
    while let Some(rest) = body.trim_start_matches(' ').strip_prefix('>') {
        body = rest.strip_prefix(' ').unwrap_or(rest);
    }
    let hint = if whole_strong(body) {
        Hint::Strong
    } else {
        Hint::Plain
    };
    line(body, hint)
}

pub(crate) fn lines(name: &str, bytes: &[u8]) -> Result<Source> {
    let text = plain::decode(name, bytes)?;
    let (front, body) = split_front_matter(&text);
    let body = without_comments(body);
    let mut source = Source::default();
    source.said.title = front_matter_title(front);
    let raw: Vec<&str> = body.lines().collect();
    let mut fence: Option<&str> = None;
    let mut at = 0;
    while at < raw.len() {
        let line = raw[at];
        let start = line.trim_start();
        if let Some(mark) = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark))
        {
            match fence {
                None => fence = Some(mark),
                Some(open) if open == mark => fence = None,
                Some(_) => source.lines.push(Line::new(line, Hint::Plain)),
            }
        } else if fence.is_some() {
            source.lines.push(Line::new(line, Hint::Plain));
        } else if is_row(line)
            && raw
                .get(at + 1)
                .is_some_and(|next| next.contains('|') && TABLE_RULE.is_match(next))
        {
            source.lines.push(self::line(line.trim(), Hint::Header));
            source.lines.push(Line::new(raw[at + 1].trim(), Hint::Rule));
            at += 2;
            while at < raw.len() && raw[at].trim_start().starts_with('|') {
                source.lines.push(self::line(raw[at].trim(), Hint::Row));
                at += 1;
            }
            continue;
        } else {
            source.lines.push(line_of(line));
        }
        at += 1;
    }
    Ok(source)
}
