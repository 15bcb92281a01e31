//! What the outside sees of documents.

use documents::{ClauseKind, DocumentKind, Format, Media};
use jiff::civil::Date;
use kernel::{Page, evidence::DocumentStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    compare::Changes,
    facts::Edits,
    library::Related,
    quote::CharacterCounter,
    record::{ContentRecord, DocumentRecord, Link, Source, Touch},
};

/// A document in a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DocumentSummary {
    /// Its id.
    pub id: String,
    /// The title.
    pub title: String,
    /// What kind of document.
    pub kind: DocumentKind,
    /// What kind of file.
    pub format: Format,
    /// Who issued it.
    pub issuer: Option<String>,
    /// The document number.
    pub number: Option<String>,
    /// Where it holds.
    pub region: Option<String>,
    /// What it is about.
    pub topics: Vec<String>,
    /// The knowledge space.
    pub space: String,
    /// When it was issued.
    #[schemars(with = "Option<String>")]
    pub issued: Option<Date>,
    /// First day in force.
    #[schemars(with = "Option<String>")]
    pub effective_from: Option<Date>,
    /// Last day in force.
    #[schemars(with = "Option<String>")]
    pub effective_until: Option<Date>,
    /// Whether it is in force on the asked day.
    pub status: DocumentStatus,
    /// Which version of what stands under its path, from 1.
    pub version: u32,
    /// The document of which this is an earlier version.
    pub version_of: Option<String>,
    /// How many clauses it has.
    pub clauses: usize,
    /// How many characters its text has.
    pub characters: usize,
    /// When it was imported or last changed.
    pub imported_at: String,
    /// How many notes the reader made.
    pub warnings: usize,
}

/// A version of a document.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct VersionSummary {
    /// Its id, by which it can be read and compared.
    pub id: String,
    /// The document of which it is an earlier version; missing for the one that stands.
    pub version_of: Option<String>,
    /// Which version, from 1.
    pub version: u32,
    /// The title.
    pub title: String,
    /// The document number.
    pub number: Option<String>,
    /// The path under which it was imported.
    pub path: String,
    /// When it was issued.
    #[schemars(with = "Option<String>")]
    pub issued: Option<Date>,
    /// From when it counts: the first day in force, or where that is not told the day of issue.
    #[schemars(with = "Option<String>")]
    pub begins: Option<Date>,
    /// The last day before a later wording is in force, it is repealed or expires.
    #[schemars(with = "Option<String>")]
    pub ends: Option<Date>,
    /// Whether it is in force on the asked day.
    pub status: DocumentStatus,
    /// A correction took its place: it is kept to be read and no longer found.
    pub replaced: bool,
    /// How its clauses differ from those of the version before.
    pub changes: Option<Changes>,
    /// How many clauses it has.
    pub clauses: usize,
    /// When it was imported or last changed.
    pub imported_at: String,
    /// The file as it came.
    pub source: Source,
}

impl VersionSummary {
    /// The summary of a version as of a day.
    pub fn of(d: &DocumentRecord, on: Date) -> Self {
        let last_before = |day: Option<Date>| day.and_then(|day| day.yesterday().ok());
        let ends = [
            d.effective_until,
            last_before(d.repealed_on),
            last_before(d.amended_on),
        ];
        Self {
            id: d.id.clone(),
            version_of: d.version_of.clone(),
            version: d.version,
            title: d.title.clone(),
            number: d.number.clone(),
            path: d.path.clone(),
            issued: d.issued,
            begins: d.begins,
            ends: ends.into_iter().flatten().min(),
            status: d.status(on),
            replaced: d.replaced,
            changes: d.changes,
            clauses: d.clauses,
            imported_at: d.imported_at.clone(),
            source: d.source.clone(),
        }
    }
}

impl DocumentSummary {
    /// The summary of a document as of a day.
    pub fn of(d: &DocumentRecord, on: Date) -> Self {
        Self {
            id: d.id.clone(),
            title: d.title.clone(),
            kind: d.kind,
            format: d.format,
            issuer: d.issuer.clone(),
            number: d.number.clone(),
            region: d.region.clone(),
            topics: d.topics.clone(),
            space: d.space.clone(),
            issued: d.issued,
            effective_from: d.effective_from,
            effective_until: d.effective_until,
            status: d.status(on),
            version: d.version,
            version_of: d.version_of.clone(),
            clauses: d.clauses,
            characters: d.characters,
            imported_at: d.imported_at.clone(),
            warnings: d.warnings,
        }
    }
}

/// A whole document.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DocumentDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: DocumentSummary,
    /// The file as it came.
    pub source: Source,
    /// How often the document itself was changed; whoever corrects it names the one that was read.
    pub revision: u64,
    /// What people corrected, and what the file says; for staff.
    pub edits: Edits,
    /// Its last changes, the latest last; for staff.
    pub log: Vec<Touch>,
    /// What it says of others: the first of them, see `knowledge.relations`.
    pub says: Page<Related>,
    /// What others say of it: the first of them, see `knowledge.relations`.
    pub said_of: Page<Related>,
    /// The documents it repeals.
    pub repeals: Vec<Link>,
    /// The documents that repeal it.
    pub repealed_by: Vec<Link>,
    /// The later wording that takes its place, from its first day on.
    pub amended_by: Option<Link>,
    /// Its headings.
    pub outline: Vec<OutlineEntry>,
    /// Its text, clause by clause.
    pub body: Vec<ClauseText>,
    /// Its pictures, in the order of their places.
    pub pictures: Vec<PictureView>,
    /// What a person should look at.
    pub notes: Vec<NoteText>,
}

/// A picture of a document.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PictureView {
    /// Its ordinal, from 0.
    pub picture: usize,
    /// The clause that it belongs to: that in which it stands, or the one that begins after it.
    pub clause: Option<usize>,
    /// Where it stands, in characters: the end of the line it follows; before the clause's start it stands above it.
    pub at: usize,
    /// What it shows, in words; may be empty.
    pub alt: String,
    /// What kind of picture.
    pub media: Media,
    /// Its address on the server. Another picture has another one.
    pub address: String,
}

/// A heading.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OutlineEntry {
    /// The heading's text.
    pub title: String,
    /// Its depth, from 1.
    pub level: u8,
    /// The first clause under it.
    pub clause: usize,
}

/// A clause with its text.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ClauseText {
    /// Its ordinal, from 0.
    pub clause: usize,
    /// What it is.
    pub kind: ClauseKind,
    /// How it is cited, e.g. 第八条.
    pub label: String,
    /// The headings that lead to it.
    pub path: Vec<String>,
    /// Where it starts, in characters.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Its text.
    pub text: String,
}

/// Something a person should look at.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NoteText {
    /// The clause it is about.
    pub clause: Option<usize>,
    /// In Chinese.
    pub message: String,
}

/// The clauses of a document with their text.
pub fn body(content: &ContentRecord, text: &str) -> Vec<ClauseText> {
    let mut counter = CharacterCounter::new(text);
    let clauses = content.clauses.iter().enumerate();
    clauses
        .map(|(ordinal, clause)| ClauseText {
            clause: ordinal,
            kind: clause.kind,
            label: clause.label.clone(),
            path: clause.path.clone(),
            start: counter.at(clause.span.start),
            end: counter.at(clause.span.end),
            text: text.get(clause.span.clone()).unwrap_or_default().to_owned(),
        })
        .collect()
}

/// The pictures of a document.
pub fn pictures(id: &str, content: &ContentRecord, text: &str) -> Vec<PictureView> {
    let mut counter = CharacterCounter::new(text);
    let pictures = content.pictures.iter().enumerate();
    pictures
        .map(|(ordinal, picture)| {
            let clauses = &content.clauses;
            let clause = clauses.partition_point(|c| c.span.end < picture.at);
            PictureView {
                picture: ordinal,
                clause: clauses.len().checked_sub(1).map(|last| clause.min(last)),
                at: counter.at(picture.at),
                alt: picture.alt.clone(),
                media: picture.media,
                address: format!(
                    "/api/v1/knowledge/documents/{id}/pictures/{ordinal}?v={}",
                    picture.mark()
                ),
            }
        })
        .collect()
}

/// A place in a document in words: the headings, then the clause.
pub fn path(headings: &[String], place: &str) -> String {
    let mut parts: Vec<&str> = headings.iter().map(String::as_str).collect();
    // A run-in heading begins with the clause's own mark: it is not said twice.
    let said = parts.last().is_some_and(|last| last.starts_with(place));
    if !place.is_empty() && !said {
        parts.push(place);
    }
    parts.join(" › ")
}
