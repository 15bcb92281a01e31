//! The built web console, embedded in the program. Depends on nothing of ours.
//!
//! The files come from `console/dist` (`make console`). Where that is missing the program builds all the same and says
//! at its address how to build the console.

use std::borrow::Cow;

#[derive(rust_embed::RustEmbed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct Dist;

/// A file of the console.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its content.
    pub bytes: Cow<'static, [u8]>,
    /// Its media type.
    pub media_type: &'static str,
    /// Its name holds a hash of its content: it may be cached for ever.
    pub immutable: bool,
}

/// The file at a path such as `assets/index-1a2b3c.js`.
pub fn asset(path: &str) -> Option<Asset> {
    let file = Dist::get(path)?;
    Some(Asset {
        bytes: file.data,
        media_type: media_type(path),
        immutable: path.starts_with("assets/"),
    })
}

/// The page that every address of the console starts with; `None` where the console isn't built in.
pub fn index() -> Option<Asset> {
    asset("index.html")
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
