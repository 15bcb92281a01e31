//! What the bytes of a picture are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::xml::{Event, Tag, walk};

/// A kind of picture that browsers show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// image/png
    Png,
    /// image/jpeg
    Jpeg,
    /// image/gif
    Gif,
    /// image/webp
    Webp,
    /// image/svg+xml, without scripts and references to anything outside.
    Svg,
}

impl Media {
    /// Its media type: `image/png`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Svg => "image/svg+xml",
        }
    }
}

const UNKNOWN: &str = "格式不支持，只支持 png、jpeg、gif、webp 和 svg";
const TOO_LARGE: &str = "图片过大";
const ACTIVE: &str = "svg 里有脚本、样式表引用或外部引用";

/// Elements of SVG that run something, hold a page, or change attributes later.
const ACTIVE_ELEMENTS: &[&str] = &[
    "script",
    "foreignobject",
    "iframe",
    "embed",
    "object",
    "audio",
    "video",
    "canvas",
    "handler",
    "listener",
    "set",
    "animate",
    "animatetransform",
    "animatemotion",
    "animatecolor",
];

pub(super) fn check(bytes: &[u8], limits: &Limits) -> Result<Media, &'static str> {
    if bytes.len() as u64 > limits.picture_bytes {
        return Err(TOO_LARGE);
    }
    let known = [
        (&b"\x89PNG\r\n\x1a\n"[..], Media::Png),
        (b"\xFF\xD8\xFF", Media::Jpeg),
        (b"GIF87a", Media::Gif),
        (b"GIF89a", Media::Gif),
    ];
    if let Some((_, media)) = known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Ok(*media);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(Media::Webp);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| UNKNOWN)?;
    svg(text.trim_start_matches('\u{feff}').trim_start(), limits)
}

/// Whether a value refers to something outside of the picture.
fn refers(value: &str) -> bool {
    let bare: String = value
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .collect::<String>()
        .to_lowercase();
    // An escape in a style sheet can hide any of these words.
    let urls = bare.match_indices("url(").any(|(at, _)| {
        !bare[at + 4..]
            .trim_start_matches(['"', '\''])
            .starts_with('#')
    });
    urls || bare.contains('\\')
        || [
            "javascript:",
            "vbscript:",
            "data:",
            "@import",
            "expression(",
            "image-set(",
        ]
        .iter()
        .any(|word| bare.contains(word))
}

fn is_active(tag: &Tag<'_>) -> bool {
    ACTIVE_ELEMENTS.contains(&tag.name.to_lowercase().as_str())
        || tag.attributes().any(|(name, value)| {
            let name = name.to_lowercase();
            let link = matches!(name.as_str(), "href" | "src" | "base");
            name.starts_with("on")
                || link && !value.trim_start().starts_with('#')
                // The names of the vocabularies are addresses that nothing is fetched from.
                || refers(value)
        })
}

fn svg(text: &str, limits: &Limits) -> Result<Media, &'static str> {
    let head: String = text.chars().take(1024).collect::<String>().to_lowercase();
    if !head.contains("<svg") || !head.starts_with('<') {
        return Err(UNKNOWN);
    }
    // Style sheets and programs of its own stand in processing instructions.
    let instructions = text.matches("<?").count() > usize::from(text.starts_with("<?xml "));
    let (mut active, mut root, mut style) = (instructions, None, String::new());
    let mut in_style = false;
    let walked = walk("svg", text, limits, &mut |event| match event {
        Event::Open(tag) => {
            root.get_or_insert_with(|| tag.name == "svg");
            in_style = tag.name == "style";
            active |= is_active(tag);
        }
        Event::Text(text) if in_style => style.push_str(text),
        Event::Text(_) => {}
        Event::Close(_) => in_style = false,
    });
    if walked.is_err() || root != Some(true) {
        return Err(UNKNOWN);
    }
    if active || refers(&style) {
        return Err(ACTIVE);
    }
    Ok(Media::Svg)
}
