//! Office packages (OPC): a zip of parts that refer to one another.

use std::io::Cursor;

use kernel::Result;
use zip::ZipArchive;

use crate::limits::Limits;
use crate::{archive, fault, xml};

/// The parts of the package.
pub(crate) struct Package<'a> {
    pub(crate) name: &'a str,
    pub(crate) limits: &'a Limits,
    zip: ZipArchive<Cursor<&'a [u8]>>,
    unpacked: u64,
}

impl<'a> Package<'a> {
    pub(crate) fn open(name: &'a str, bytes: &'a [u8], limits: &'a Limits) -> Result<Self> {
        Ok(Self {
            name,
            limits,
            zip: archive::open(name, bytes)?,
            unpacked: 0,
        })
    }

    /// The part's bytes; `None` if the package has no such part.
    pub(crate) fn bytes(&mut self, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(index) = self.zip.index_for_name(path) else {
            return Ok(None);
        };
        let file = self
            .zip
            .by_index(index)
            .map_err(|e| archive::entry_fault(self.name, e))?;
        let packed = file.compressed_size();
        let bytes = archive::inflate(self.name, file, packed, self.limits)?;
        self.unpacked += bytes.len() as u64;
        if self.unpacked > self.limits.archive_bytes {
            return Err(fault::too_large(self.name, "解压后的内容过多"));
        }
        Ok(Some(bytes))
    }

    /// The part as text; `None` if the package has no such part.
    pub(crate) fn part(&mut self, path: &str) -> Result<Option<String>> {
        let Some(bytes) = self.bytes(path)? else {
            return Ok(None);
        };
        let text = crate::charset::decode(&bytes, None)
            .ok_or_else(|| fault::damaged(self.name, &format!("{path} 不是文字")))?;
        Ok(Some(text.trim_start_matches('\u{feff}').to_owned()))
    }

    /// The path of the main part: where programs usually put it, else as the package names it.
    pub(crate) fn main(&mut self, usual: &str, missing: &str) -> Result<String> {
        if self.zip.index_for_name(usual).is_some() {
            return Ok(usual.into());
        }
        let (name, rels) = (self.name, self.targets("")?);
        rels.into_iter()
            .find(|link| link.kind.ends_with("/officeDocument"))
            .map(|link| link.target)
            .ok_or_else(|| fault::damaged(name, missing))
    }

    /// What a part refers to; the package itself with an empty path.
    pub(crate) fn targets(&mut self, path: &str) -> Result<Vec<Link>> {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let beside = |name: &str| match folder {
            "" => name.to_owned(),
            _ => format!("{folder}/{name}"),
        };
        let rels = self.part(&beside(&format!("_rels/{file}.rels")))?;
        let mut found = Vec::new();
        xml::walk(
            self.name,
            &rels.unwrap_or_default(),
            self.limits,
            &mut |event| {
                let xml::Event::Open(tag) = event else { return };
                let (Some(id), Some(kind), Some(target)) =
                    (tag.attr("Id"), tag.attr("Type"), tag.attr("Target"))
                else {
                    return;
                };
                let outside = tag.attr("TargetMode") == Some("External");
                found.push(Link {
                    id: id.to_owned(),
                    kind: kind.to_owned(),
                    target: match target.strip_prefix('/') {
                        _ if outside => target.to_owned(),
                        Some(whole) => whole.to_owned(),
                        None => within(&beside(target)),
                    },
                    outside,
                });
            },
        )?;
        Ok(found)
    }
}

/// A reference from one part to another, or to something outside of the package.
pub(crate) struct Link {
    pub(crate) id: String,
    pub(crate) kind: String,
    /// The path of a part; as written where it is `outside`.
    pub(crate) target: String,
    pub(crate) outside: bool,
}

/// The path without `.` and `..`.
fn within(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
