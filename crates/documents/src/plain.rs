//! Plain text.

use kernel::Result;

use crate::page::{Hint, Line, Source};
use crate::{charset, fault};

/// Text of the file; refuses what is not text.
pub(crate) fn decode(name: &str, bytes: &[u8]) -> Result<String> {
    let text = charset::decode(bytes, None).ok_or_else(|| {
        fault::unsupported(
            name,
            "内容不是文字，或用了不认识的编码。请另存为 UTF-8 编码",
        )
    })?;
    let (mut odd, mut all) = (0usize, 0usize);
    for c in text.chars().take(100_000) {
        all += 1;
        odd += usize::from(c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{b}'));
    }
    if odd * 20 > all {
        return Err(fault::unsupported(
            name,
            "内容不是文字，或用了不认识的编码。请另存为 UTF-8 编码",
        ));
    }
    Ok(unify_newlines(&text))
}

pub(crate) fn unify_newlines(text: &str) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
}

pub(crate) fn lines(name: &str, bytes: &[u8]) -> Result<Source> {
    let text = decode(name, bytes)?;
    let lines = text
        .lines()
        .map(|line| Line::new(line, Hint::Plain))
        .collect();
    Ok(Source {
        lines,
        ..Source::default()
    })
}
