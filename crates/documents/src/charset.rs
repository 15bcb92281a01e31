//! Bytes to text: byte order mark, declared charset, UTF-8 if valid, else GB18030.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

/// Decodes `bytes`; `declared` is the charset a page names. `None` when no encoding makes text of them.
pub(crate) fn decode<'a>(
    bytes: &'a [u8],
    declared: Option<&'static Encoding>,
) -> Option<Cow<'a, str>> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return Some(encoding.decode_without_bom_handling(&bytes[mark..]).0);
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return Some(encoding.decode_without_bom_handling(bytes).0);
    }
    if bytes.contains(&0) {
        return None;
    }
    if let Some(encoding) = declared {
        let (text, bad) = encoding.decode_without_bom_handling(bytes);
        if !bad {
            return Some(text);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(Cow::Borrowed(text));
    }
    let (utf8, _) = UTF_8.decode_without_bom_handling(bytes);
    let (gb, _) = GB18030.decode_without_bom_handling(bytes);
    let (utf8_bad, gb_bad) = (replaced(&utf8), replaced(&gb));
    let (text, bad) = if utf8_bad <= gb_bad {
        (utf8, utf8_bad)
    } else {
        (gb, gb_bad)
    };
    // A few broken characters are a damaged text, many are no text at all.
    (bad * 50 <= text.chars().count()).then_some(text)
}

fn replaced(text: &str) -> usize {
    text.matches('\u{fffd}').count()
}

fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(4096) & !1];
    if head.len() < 16 || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let newline = |unit: &[u8], order: [u8; 2]| unit == order;
    let units = || head.chunks_exact(2);
    for (encoding, lf, space) in [
        (UTF_16LE, [b'\n', 0], [b' ', 0]),
        (UTF_16BE, [0, b'\n'], [0, b' ']),
    ] {
        let breaks = units()
            .filter(|u| newline(u, lf) || newline(u, space))
            .count();
        let (text, bad) = encoding.decode_without_bom_handling(head);
        let han = text.chars().filter(|c| matches!(*c, '\u{4e00}'..='\u{9fff}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff5e}' | ' '..='~' | '\n' | '\r')).count();
        if !bad && breaks > 0 && head.contains(&0) && han * 10 >= text.chars().count() * 9 {
            return Some(encoding);
        }
    }
    None
}

/// The charset that a page names in its first bytes.
pub(crate) fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(2048)];
    let lower: Vec<u8> = head.to_ascii_lowercase();
    let at = lower.windows(8).position(|w| w == b"charset=")?;
    let label: Vec<u8> = lower[at + 8..]
        .iter()
        .copied()
        .skip_while(|b| matches!(b, b'"' | b'\'' | b' '))
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        .collect();
    // gb2312 and gbk pages hold characters beyond their charset; GB18030 is their superset.
    let encoding = Encoding::for_label(&label)?;
    Some(if encoding == encoding_rs::GBK {
        GB18030
    } else {
        encoding
    })
}
