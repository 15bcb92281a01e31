//! Codes of a font to characters and widths (ISO 32000-1, 9.6, 9.7, 9.10).

use std::collections::HashMap;

use encoding_rs::{BIG5, EUC_KR, Encoding as Charset, GB18030, SHIFT_JIS, UTF_16BE};
use lopdf::{Dictionary, Document, Encoding, Object};

/// Bytes of an unpacked map of characters.
const MAP: usize = 4 << 20;
/// Width where the font does not say, in thousandths of its size.
const WIDTH: f32 = 1000.0;

/// One code that was shown.
pub(super) struct Code {
    /// What it stands for; empty when the font does not say.
    pub(super) text: String,
    /// In parts of the font's size.
    pub(super) width: f32,
    /// Whether word spacing applies: the single byte 32.
    pub(super) space: bool,
}

enum Codes {
    /// One byte each, with what each stands for.
    Single(Box<[String; 256]>),
    /// Two bytes each, which are glyphs.
    Glyphs,
    /// Text in a charset: GBK-EUC-H, UniGB-UCS2-H and the like.
    Charset(&'static Charset, First),
}

/// Which glyph a blank has, from which those of ASCII count on: Adobe-GB1 has them proportional from 1 and of half width from 814.
#[derive(Clone, Copy)]
struct First(u32);

/// A font of a page.
pub(super) struct Font {
    codes: Codes,
    unicode: Option<Encoding<'static>>,
    widths: HashMap<u32, f32>,
    width: f32,
    pub(super) bold: bool,
}

fn number(object: &Object) -> Option<f32> {
    object.as_float().ok()
}

fn name<'a>(dict: &'a Dictionary, key: &[u8], pdf: &'a Document) -> Option<&'a [u8]> {
    dict.get_deref(key, pdf).ok()?.as_name().ok()
}

fn dict<'a>(dict: &'a Dictionary, key: &[u8], pdf: &'a Document) -> Option<&'a Dictionary> {
    dict.get_deref(key, pdf).ok()?.as_dict().ok()
}

/// The charset of a predefined map of codes.
fn charset(map: &[u8]) -> Option<(&'static Charset, First)> {
    let map = std::str::from_utf8(map).ok()?;
    let first = match map {
        "GBK-EUC-H" | "GBK-EUC-V" | "GB-EUC-H" | "GB-EUC-V" => 814,
        _ => 1,
    };
    let charset = if map.contains("UCS2") || map.contains("UTF16") {
        UTF_16BE
    } else if map.starts_with("GB") {
        GB18030
    } else if map.contains("B5") {
        BIG5
    } else if map.contains("RKSJ") {
        SHIFT_JIS
    } else if map.starts_with("KSC") {
        EUC_KR
    } else {
        return None;
    };
    Some((charset, First(first)))
}

/// The map of codes to characters that the font itself carries.
fn to_unicode(font: &Dictionary, pdf: &Document) -> Option<Encoding<'static>> {
    let map = font.get(b"ToUnicode").ok()?;
    let mut bare = Dictionary::new();
    bare.set("Type", "Font");
    bare.set("ToUnicode", map.clone());
    match bare.get_font_encoding_with_limit(pdf, MAP).ok()? {
        Encoding::UnicodeMapEncoding(map) => Some(Encoding::UnicodeMapEncoding(map)),
        _ => None,
    }
}

/// /W of a font of glyphs: `first [w …]` and `first last w`.
fn glyph_widths(font: &Dictionary, pdf: &Document) -> HashMap<u32, f32> {
    let mut widths = HashMap::new();
    let Ok(list) = font.get_deref(b"W", pdf).and_then(Object::as_array) else {
        return widths;
    };
    let resolved = |at: usize| {
        list.get(at)
            .and_then(|o| pdf.dereference(o).ok())
            .map(|(_, o)| o)
    };
    let mut at = 0;
    while let Some(first) = resolved(at).and_then(number) {
        let first = first.max(0.0) as u32;
        match resolved(at + 1) {
            Some(Object::Array(each)) => {
                for (offset, width) in each.iter().take(65_536).enumerate() {
                    if let Some(width) = number(width) {
                        widths.insert(first.saturating_add(offset as u32), width);
                    }
                }
                at += 2;
            }
            Some(last) => {
                let (Some(last), Some(width)) = (number(last), resolved(at + 2).and_then(number))
                else {
                    break;
                };
                for glyph in first..=(last.max(0.0) as u32).min(first.saturating_add(65_535)) {
                    widths.insert(glyph, width);
                }
                at += 3;
            }
            None => break,
        }
    }
    widths
}

fn single(font: &Dictionary, pdf: &Document) -> [String; 256] {
    let mut table = [const { String::new() }; 256];
    let mut typed = font.clone();
    typed.set("Type", "Font");
    if typed.get(b"Encoding").is_err() {
        // The usual one of the fonts that every reader has.
        typed.set("Encoding", "WinAnsiEncoding");
    }
    if let Ok(encoding) = typed.get_font_encoding_with_limit(pdf, MAP)
        && !matches!(encoding, Encoding::UnicodeMapEncoding(_))
    {
        for (code, text) in table.iter_mut().enumerate() {
            *text = encoding.bytes_to_string(&[code as u8]).unwrap_or_default();
        }
    }
    table
}

impl Font {
    pub(super) fn new(font: &Dictionary, pdf: &Document) -> Self {
        let unicode = to_unicode(font, pdf);
        let base = name(font, b"BaseFont", pdf).unwrap_or(b"");
        let base = String::from_utf8_lossy(base).to_lowercase();
        let bold = ["bold", "black", "heavy", "simhei", "heiti"]
            .iter()
            .any(|word| base.contains(word));
        if name(font, b"Subtype", pdf) == Some(b"Type0") {
            let below = font
                .get_deref(b"DescendantFonts", pdf)
                .and_then(Object::as_array)
                .ok()
                .and_then(|fonts| pdf.dereference(fonts.first()?).ok()?.1.as_dict().ok());
            let codes = name(font, b"Encoding", pdf).and_then(charset);
            return Self {
                codes: codes.map_or(Codes::Glyphs, |(charset, first)| {
                    Codes::Charset(charset, first)
                }),
                unicode,
                widths: below.map_or_else(HashMap::new, |below| glyph_widths(below, pdf)),
                width: below
                    .and_then(|below| number(below.get_deref(b"DW", pdf).ok()?))
                    .unwrap_or(WIDTH),
                bold,
            };
        }
        let first = font.get_deref(b"FirstChar", pdf).ok().and_then(number);
        let first = first.unwrap_or(0.0).clamp(0.0, 255.0) as u32;
        // A font that is drawn by operators has units of its own.
        let unit = font
            .get_deref(b"FontMatrix", pdf)
            .and_then(Object::as_array)
            .ok()
            .and_then(|matrix| number(matrix.first()?))
            .map_or(1.0, |unit| unit.abs() * 1000.0);
        let listed = font.get_deref(b"Widths", pdf).and_then(Object::as_array);
        let widths = listed.map_or_else(
            |_| HashMap::new(),
            |list| {
                let widths = list.iter().take(256).enumerate();
                widths
                    .filter_map(|(at, width)| {
                        let (_, width) = pdf.dereference(width).ok()?;
                        Some((first + at as u32, number(width)? * unit))
                    })
                    .collect()
            },
        );
        let missing = dict(font, b"FontDescriptor", pdf)
            .and_then(|about| number(about.get_deref(b"MissingWidth", pdf).ok()?));
        Self {
            codes: Codes::Single(Box::new(single(font, pdf))),
            unicode,
            widths,
            width: missing.filter(|width| *width > 0.0).unwrap_or(500.0),
            bold,
        }
    }

    fn mapped(&self, code: u32, len: u8) -> Option<String> {
        let Some(Encoding::UnicodeMapEncoding(map)) = &self.unicode else {
            return None;
        };
        let units = map.get(code, len)?;
        let text = String::from_utf16_lossy(&units);
        (!text.is_empty() && !text.contains(['\u{fffd}', '\0'])).then_some(text)
    }

    fn width(&self, glyph: u32) -> f32 {
        self.widths.get(&glyph).copied().unwrap_or(self.width) / 1000.0
    }

    /// The codes of a string.
    pub(super) fn codes(&self, bytes: &[u8], out: &mut Vec<Code>) {
        match &self.codes {
            Codes::Single(table) => out.extend(bytes.iter().map(|&byte| {
                Code {
                    text: self
                        .mapped(u32::from(byte), 1)
                        .unwrap_or_else(|| table[usize::from(byte)].clone()),
                    width: self.width(u32::from(byte)),
                    space: byte == b' ',
                }
            })),
            Codes::Glyphs => out.extend(bytes.chunks_exact(2).map(|pair| {
                let code = u32::from(pair[0]) << 8 | u32::from(pair[1]);
                Code {
                    text: self.mapped(code, 2).unwrap_or_default(),
                    width: self.width(code),
                    space: false,
                }
            })),
            Codes::Charset(charset, first) => self.in_charset(charset, *first, bytes, out),
        }
    }

    fn in_charset(
        &self,
        charset: &'static Charset,
        first: First,
        bytes: &[u8],
        out: &mut Vec<Code>,
    ) {
        let mut at = 0;
        while at < bytes.len() {
            let len = code_len(charset, &bytes[at..]);
            let code = &bytes[at..at + len];
            let value = code.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
            at += len;
            let (text, bad) = charset.decode_without_bom_handling(code);
            let text = match self.mapped(value, len as u8) {
                Some(text) => text,
                None if bad => String::new(),
                None => text.into_owned(),
            };
            let glyph = match value {
                0x20..=0x7e => value - 0x20 + first.0,
                _ => u32::MAX,
            };
            out.push(Code {
                text,
                width: self.width(glyph),
                space: len == 1 && value == 0x20,
            });
        }
    }
}

/// Bytes of the code at the start of `bytes`, which are not empty.
fn code_len(charset: &'static Charset, bytes: &[u8]) -> usize {
    let second = bytes.get(1).copied();
    let wanted = if charset == UTF_16BE {
        if matches!(bytes[0], 0xD8..=0xDB) {
            4
        } else {
            2
        }
    } else if bytes[0] < 0x81 || charset == SHIFT_JIS && matches!(bytes[0], 0xA0..=0xDF) {
        1
    } else if charset == GB18030 && second.is_some_and(|byte| byte.is_ascii_digit()) {
        4
    } else {
        2
    };
    wanted.min(bytes.len())
}
