//! Pictures of documents: kept by their content, each version of a document with its own.
//!
//! A document's own hash doesn't cover the picture files that lie beside it. So whenever a document is imported, the
//! pictures it refers to are looked at as well: one that is another file than before makes a new version, one that was
//! missing and is there now is added to the version that stands. A document that is imported again without the files
//! beside it keeps the pictures it has.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use documents::{Limits, Media, Note, Picture, PictureSource};
use kernel::{Error, Result, id::content_hash, identity::Caller};

use super::{
    Library,
    adding::{Draft, Given},
};
use crate::record::{CONTENTS, ContentRecord, DocumentRecord, PictureRecord};

/// Picture files beside documents on their way in: by their path, which begins where those of the documents begin, where
/// their bytes lie.
pub type Beside = HashMap<String, PathBuf>;

/// So many missing pictures are named.
const NAMED: usize = 3;

const UNKNOWN: &str = "格式不支持，只支持 png、jpeg、gif、webp 和 svg";
const TOO_LARGE: &str = "图片过大";
const TOO_MANY: &str = "超过了总大小的限制";
const GONE: &str = "文件已不在原处";
const UNREADABLE: &str = "文件读不出来";

/// What became of the pictures of a document.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) kept: Vec<PictureRecord>,
    /// The files beside the document that are kept, by path.
    pub(super) used: Vec<String>,
    /// What a person should look at, whatever stood before.
    pub(super) notes: Vec<Note>,
    /// Pictures that did not come along this time and stay as they were.
    pub(super) carried: usize,
}

impl Gathered {
    /// A word on pictures that were not brought along with a changed document.
    pub(super) fn warning(&self) -> Option<String> {
        (self.carried > 0).then(|| {
            format!(
                "有 {} 张图片没有和文件一起导入，沿用原有的。图片也改了的话，请和文件一起重新导入。",
                self.carried
            )
        })
    }
}

/// A picture file that may be kept.
#[derive(Debug)]
pub(crate) struct Loaded {
    media: Media,
    hash: String,
    bytes: Vec<u8>,
}

/// Reads a picture file and checks it; what fails says why, in Chinese.
pub(crate) fn load(file: &Path, limits: &Limits) -> std::result::Result<Loaded, &'static str> {
    let why = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::NotFound => GONE,
        _ => UNREADABLE,
    };
    if std::fs::metadata(file).map_err(why)?.len() > limits.picture_bytes {
        return Err(TOO_LARGE);
    }
    let bytes = std::fs::read(file).map_err(why)?;
    let media = documents::picture_media(&bytes, limits)?;
    Ok(Loaded {
        media,
        hash: content_hash(&bytes),
        bytes,
    })
}

/// Why a picture is not kept.
#[derive(Clone)]
enum Lack {
    Missing,
    Refused(&'static str),
}

/// The pictures of one document on their way into the store.
struct Gathering<'a> {
    library: &'a Library,
    beside: &'a Beside,
    before: &'a [PictureRecord],
    /// What became of files that were referred to, by path.
    seen: HashMap<String, std::result::Result<(String, Media), Lack>>,
    /// Bytes of files beside the document.
    bytes: u64,
    out: Gathered,
}

impl Gathering<'_> {
    /// Keeps bytes, unless they lie there whole already.
    async fn keep(&self, hash: &str, bytes: Vec<u8>) -> Result<()> {
        let known = self.before.iter().any(|p| p.file == hash);
        if !known || self.library.files.get(hash).await.is_err() {
            self.library.files.put(bytes).await?;
        }
        Ok(())
    }

    /// What a path leads to.
    async fn follow(&mut self, path: &str) -> Result<std::result::Result<(String, Media), Lack>> {
        if let Some(seen) = self.seen.get(path) {
            return Ok(seen.clone());
        }
        let found = self.look(path).await?;
        self.seen.insert(path.to_owned(), found.clone());
        Ok(found)
    }

    async fn look(&mut self, path: &str) -> Result<std::result::Result<(String, Media), Lack>> {
        let Some(file) = self.beside.get(path).cloned() else {
            let mut before = self.before.iter();
            return Ok(match before.find(|p| p.path.as_deref() == Some(path)) {
                Some(kept) => {
                    self.out.carried += 1;
                    Ok((kept.file.clone(), kept.media))
                }
                None if documents::is_picture(path) => Err(Lack::Missing),
                None => Err(Lack::Refused(UNKNOWN)),
            });
        };
        let limits = self.library.limits.clone();
        let most = limits.pictures_bytes;
        let loaded = tokio::task::spawn_blocking(move || load(&file, &limits));
        let loaded = match loaded.await.map_err(Error::internal)? {
            Ok(loaded) => loaded,
            Err(GONE) => return Ok(Err(Lack::Missing)),
            Err(why) => return Ok(Err(Lack::Refused(why))),
        };
        let bytes = self.bytes + loaded.bytes.len() as u64;
        if bytes > most {
            return Ok(Err(Lack::Refused(TOO_MANY)));
        }
        self.bytes = bytes;
        self.keep(&loaded.hash, loaded.bytes).await?;
        self.out.used.push(path.to_owned());
        Ok(Ok((loaded.hash, loaded.media)))
    }

    async fn all(mut self, pictures: Vec<Picture>) -> Result<Gathered> {
        let (mut missing, mut refused) = (Vec::new(), BTreeMap::<&str, usize>::new());
        for picture in pictures {
            let (path, found) = match picture.source {
                PictureSource::Embedded { media, bytes } => {
                    let hashed = tokio::task::spawn_blocking(move || (content_hash(&bytes), bytes));
                    let (hash, bytes) = hashed.await.map_err(Error::internal)?;
                    self.keep(&hash, bytes).await?;
                    (None, Ok((hash, media)))
                }
                PictureSource::Relative(path) => {
                    let found = self.follow(&path).await?;
                    (Some(path), found)
                }
            };
            match (found, path) {
                (Ok((file, media)), path) => self.out.kept.push(PictureRecord {
                    at: picture.at,
                    alt: picture.alt,
                    file,
                    media,
                    path,
                }),
                (Err(Lack::Refused(why)), _) => *refused.entry(why).or_default() += 1,
                (Err(Lack::Missing), path) => missing.extend(path),
            }
        }
        let refused = refused
            .into_iter()
            .map(|(why, count)| format!("有 {count} 张图片没有读入：{why}。"));
        let messages = refused.chain(not_found(missing));
        self.out.notes = messages
            .map(|message| Note {
                clause: None,
                message,
            })
            .collect();
        Ok(self.out)
    }
}

/// A word on pictures that lie nowhere.
fn not_found(mut missing: Vec<String>) -> Option<String> {
    missing.sort_unstable();
    missing.dedup();
    let first = missing.iter().take(NAMED).map(String::as_str);
    let names = first.collect::<Vec<_>>().join("、");
    let more = if missing.len() > NAMED { "等" } else { "" };
    (!missing.is_empty()).then(|| {
        format!(
            "有 {} 张图片没有找到：{names}{more}。请把图片和文件放在同一个文件夹或压缩包里，一起导入。",
            missing.len()
        )
    })
}

impl Library {
    /// Keeps the pictures of a document that was read, so that only their hashes go on.
    pub(super) async fn gather(
        &self,
        given: &Given,
        pictures: Vec<Picture>,
        beside: &Beside,
    ) -> Result<Gathered> {
        if pictures.is_empty() {
            return Ok(Gathered::default());
        }
        let before = match &given.pictures {
            Some(pictures) => pictures.clone(),
            None => self.pictures_under(given).await?,
        };
        let gathering = Gathering {
            library: self,
            beside,
            before: &before,
            seen: HashMap::new(),
            bytes: 0,
            out: Gathered::default(),
        };
        let mut gathered = gathering.all(pictures).await?;
        if given.pictures.is_some() {
            // They were named on purpose.
            gathered.carried = 0;
        }
        Ok(gathered)
    }

    /// The pictures of what stands under a file's path.
    async fn pictures_under(&self, given: &Given) -> Result<Vec<PictureRecord>> {
        let (space, path) = (&given.file.space, &given.file.path);
        let Some(known) = self.under(space, path, &Draft::default()).await? else {
            return Ok(Vec::new());
        };
        let content: Option<ContentRecord> = self.records.read(&CONTENTS, &known.id).await?;
        Ok(content.map(|c| c.pictures).unwrap_or_default())
    }

    /// Whether a document that stands has just these pictures.
    pub(super) async fn has_pictures(
        &self,
        known: &DocumentRecord,
        pictures: &[PictureRecord],
        draft: &Draft,
    ) -> Result<bool> {
        Ok(self.content_standing(&known.id, draft).await?.pictures == pictures)
    }

    /// Whether a document that stands has a picture that is not among these.
    pub(super) async fn loses_pictures(
        &self,
        known: &DocumentRecord,
        pictures: &[PictureRecord],
        draft: &Draft,
    ) -> Result<bool> {
        let standing = self.content_standing(&known.id, draft).await?.pictures;
        let has = |file: &str| pictures.iter().any(|p| p.file == file);
        Ok(standing.iter().any(|p| !has(&p.file)))
    }

    /// A picture of a document, by its ordinal from 0. What lies in a space that the caller may not see is not there.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn picture(
        &self,
        caller: &Caller,
        id: &str,
        ordinal: usize,
    ) -> Result<PictureRecord> {
        self.document_for(caller, id).await?;
        let mut pictures = self.content(id).await?.pictures;
        if ordinal < pictures.len() {
            Ok(pictures.swap_remove(ordinal))
        } else {
            Err(Error::not_found("这张图片"))
        }
    }

    /// A picture's bytes, proven unchanged.
    ///
    /// # Errors
    /// `SourceChanged`, `NotFound`, `Storage`.
    pub async fn picture_bytes(&self, picture: &PictureRecord) -> Result<Vec<u8>> {
        self.files.get(&picture.file).await
    }
}
