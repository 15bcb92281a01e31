//! What the store keeps of a document: a small record to list and filter by, and its structure apart.

use documents::{Clause, DocumentKind, Format, Heading, Media, Note, Reference};
use jiff::civil::Date;
use kernel::{
    evidence::DocumentStatus,
    lexical::Attributes,
    records::{Collection, Condition},
    time::day_number,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    compare::Changes,
    facts::{Edits, Facts},
    forms::Form,
    titles,
};

/// Documents, to list and filter by.
pub const DOCUMENTS: Collection = Collection {
    name: "documents",
    indexed: &[
        "space",
        "title",
        "number",
        "kind",
        "region",
        "issued",
        "effective_from",
        "imported_at",
        "source.sha256",
        "path",
        "name",
        "law",
        "version_of",
        "id",
    ],
};

/// The structure of documents, under the same id.
pub const CONTENTS: Collection = Collection {
    name: "contents",
    indexed: &[],
};

/// What documents say of other documents, found by the other's title or number.
pub const RELATIONS: Collection = Collection {
    name: "relations",
    indexed: &["from", "name", "number"],
};

/// Changes whenever documents are read differently: files read by an older reader are read again on re-import.
pub const READER_VERSION: u32 = 4;

/// A stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentRecord {
    /// Derived from the space and the path: the same file keeps its id.
    pub id: String,
    /// The knowledge space.
    pub space: String,
    /// The path under which it was imported.
    pub path: String,
    /// The title.
    pub title: String,
    /// The title as it is compared with others.
    #[serde(default)]
    pub name: String,
    /// The name that all wordings of this law share, if it is one of which there is one wording at a time.
    #[serde(default)]
    pub law: Option<String>,
    /// Which version of what stands under its path, from 1.
    #[serde(default = "first_version")]
    pub version: u32,
    /// The document of which this is an earlier version.
    #[serde(default)]
    pub version_of: Option<String>,
    /// An earlier version that a correction took the place of: kept to be read, no longer found.
    #[serde(default)]
    pub replaced: bool,
    /// How its clauses differ from those of the version before.
    #[serde(default)]
    pub changes: Option<Changes>,
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
    #[serde(default)]
    pub topics: Vec<String>,
    /// When it was issued.
    pub issued: Option<Date>,
    /// First day in force.
    pub effective_from: Option<Date>,
    /// Last day in force.
    pub effective_until: Option<Date>,
    /// From when it counts: the first day in force, or where that is not told the day of issue.
    #[serde(default)]
    pub begins: Option<Date>,
    /// The first day on which it is no longer in force, because another document repeals it.
    pub repealed_on: Option<Date>,
    /// Which documents repeal it.
    pub repealed_by: Vec<Link>,
    /// The first day on which a later wording of it is in force.
    #[serde(default)]
    pub amended_on: Option<Date>,
    /// The later wording.
    #[serde(default)]
    pub amended_by: Option<Link>,
    /// Taken down: no longer found.
    pub withdrawn: bool,
    /// How many clauses it has.
    pub clauses: usize,
    /// How many characters its text has.
    pub characters: usize,
    /// How many notes the reader made.
    pub warnings: usize,
    /// The file as it came.
    pub source: Source,
    /// The address of the canonical text.
    pub text: String,
    /// Which reader read it.
    pub reader: u32,
    /// When it was imported or last changed.
    pub imported_at: String,
    /// What the reader found in the file, before corrections.
    #[serde(default)]
    pub extracted: Option<Facts>,
    /// What people corrected.
    #[serde(default)]
    pub edits: Edits,
    /// How often the document itself was changed: imported, corrected, withdrawn, restored.
    #[serde(default)]
    pub revision: u64,
    /// Its last changes, the latest last.
    #[serde(default)]
    pub log: Vec<Touch>,
}

/// A change of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DocumentTouch")]
pub struct Touch {
    /// The document's revision after it.
    pub revision: u64,
    /// When.
    pub at: String,
    /// Who, if it is known.
    pub by: Option<String>,
    /// What: names of fields, or `import`, `withdraw`, `restore`.
    pub what: Vec<String>,
}

/// The structure of a stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContentRecord {
    /// The units of retrieval and citation.
    pub clauses: Vec<Clause>,
    /// The headings.
    pub outline: Vec<Heading>,
    /// What a person should look at.
    pub notes: Vec<Note>,
    /// The form that it was typed into, if it was.
    #[serde(default)]
    pub form: Option<Form>,
    /// Its pictures, in the order of their places.
    #[serde(default)]
    pub pictures: Vec<PictureRecord>,
}

/// A picture of a stored document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureRecord {
    /// Byte offset in the text: the end of the line it follows, 0 before the first.
    pub at: usize,
    /// What it shows, in words; may be empty.
    pub alt: String,
    /// Its content's SHA-256, under which it is stored.
    pub file: String,
    /// What it is, as its bytes say.
    pub media: Media,
    /// The path of the file beside the document that it came from; missing for one out of the document itself.
    #[serde(default)]
    pub path: Option<String>,
}

/// The file as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Its name without folders.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its content's SHA-256, under which it is stored.
    pub sha256: String,
}

/// Another document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Its title.
    pub title: String,
    /// Its document number.
    pub number: Option<String>,
    /// Its id, if it is stored here.
    pub document: Option<String>,
}

fn first_version() -> u32 {
    1
}

/// How one document stands to another.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// 依据: it carries the other out.
    Implements,
    /// 修改
    Amends,
    /// 废止
    #[default]
    Repeals,
    /// 取代: it is the next wording of the other.
    Supersedes,
    /// 引用
    Cites,
}

impl From<documents::RelationKind> for RelationKind {
    fn from(kind: documents::RelationKind) -> Self {
        match kind {
            documents::RelationKind::Cites => Self::Cites,
            documents::RelationKind::Implements => Self::Implements,
            documents::RelationKind::Amends => Self::Amends,
            documents::RelationKind::Repeals => Self::Repeals,
        }
    }
}

/// What a document says of another, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// How it stands to the other.
    pub kind: RelationKind,
    /// The other.
    pub reference: Reference,
    /// The clause in which it says so.
    pub clause: Option<usize>,
    /// The article of the other that it names.
    pub article: Option<String>,
}

/// What one document says of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelationRecord {
    /// How it stands to the other.
    #[serde(default)]
    pub kind: RelationKind,
    /// The document that says it.
    pub from: String,
    /// The knowledge space that this document is in.
    pub space: String,
    /// The other's title, if named.
    pub title: Option<String>,
    /// The title as it is compared.
    #[serde(default)]
    pub name: Option<String>,
    /// The other's number, if named.
    pub number: Option<String>,
    /// From which day it holds.
    pub on: Option<Date>,
    /// The clause in which it stands.
    #[serde(default)]
    pub clause: Option<usize>,
    /// The article of the other that it names.
    #[serde(default)]
    pub article: Option<String>,
}

impl PictureRecord {
    /// What tells it from other pictures of the same place: the beginning of its hash.
    pub fn mark(&self) -> &str {
        self.file.get(..16).unwrap_or(&self.file)
    }
}

impl RelationRecord {
    /// Whether it speaks of this document: by its number; by its title where the relation or the document tells no
    /// number, since a title may be shared by versions.
    pub fn names(&self, document: &DocumentRecord) -> bool {
        if self.from == document.id {
            return false;
        }
        match (&self.number, &document.number) {
            (Some(said), Some(number)) => said == number,
            _ => self.name.as_ref() == Some(&document.name),
        }
    }
}

impl DocumentRecord {
    /// Whether it is in force on a day.
    pub fn status(&self, on: Date) -> DocumentStatus {
        if self.withdrawn {
            DocumentStatus::Withdrawn
        } else if self.repealed_on.is_some_and(|day| day <= on) {
            DocumentStatus::Repealed
        } else if self.replaced || self.amended_on.is_some_and(|day| day <= on) {
            DocumentStatus::Amended
        } else if self.effective_until.is_some_and(|day| day < on) {
            DocumentStatus::Expired
        } else if self.begins.is_some_and(|day| day > on) {
            DocumentStatus::Upcoming
        } else {
            DocumentStatus::Current
        }
    }

    /// What the index filters its passages by.
    pub fn attributes(&self) -> Attributes {
        let last_before = |day: Option<Date>| day.map(|day| day_number(day) - 1);
        let until = [
            self.effective_until.map(day_number),
            last_before(self.repealed_on),
            last_before(self.amended_on),
        ]
        .into_iter()
        .flatten()
        .min();
        Attributes {
            space: self.space.clone(),
            region: self.region.clone().unwrap_or_default(),
            kind: kind_name(self.kind),
            issued: self.issued.map(day_number),
            from: self.begins.map(day_number),
            until,
        }
    }

    /// Whether its clauses are to be found.
    pub fn is_found(&self) -> bool {
        !self.withdrawn && !self.replaced
    }

    /// The document whose version it is: itself, unless it is an earlier one.
    pub fn head(&self) -> &str {
        self.version_of.as_deref().unwrap_or(&self.id)
    }

    /// Gives the names by which it is found among others, after its title or kind has changed.
    pub fn take_names(&mut self) {
        self.name = titles::name(&self.title);
        self.law = titles::law(&self.title, self.kind);
    }

    /// What is known of it, corrections included.
    pub fn facts(&self) -> Facts {
        Facts {
            title: self.title.clone(),
            kind: self.kind,
            issuer: self.issuer.clone(),
            number: self.number.clone(),
            region: self.region.clone(),
            issued: self.issued,
            effective_from: self.effective_from,
            effective_until: self.effective_until,
            topics: self.topics.clone(),
            space: self.space.clone(),
        }
    }

    /// What the reader found in the file.
    pub fn extracted(&self) -> Facts {
        self.extracted.clone().unwrap_or_else(|| self.facts())
    }

    /// Takes what is known of it, and what follows from it.
    pub fn take_facts(&mut self, facts: Facts) {
        self.begins = facts.effective_from.or(facts.issued);
        self.title = facts.title;
        self.kind = facts.kind;
        self.issuer = facts.issuer;
        self.number = facts.number;
        self.region = facts.region;
        self.issued = facts.issued;
        self.effective_from = facts.effective_from;
        self.effective_until = facts.effective_until;
        self.topics = facts.topics;
        self.space = facts.space;
        self.take_names();
    }

    /// A link to it.
    pub fn link(&self) -> Link {
        Link {
            title: self.title.clone(),
            number: self.number.clone(),
            document: Some(self.id.clone()),
        }
    }
}

/// A kind's name on the wire.
pub fn kind_name(kind: DocumentKind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// The conditions under which a document has a status on a day: the same rule as [`DocumentRecord::status`].
pub fn with_status(status: DocumentStatus, on: Date) -> Vec<Condition> {
    let day = || json!(on.to_string());
    let unset = |field: &str| Condition::is(field, Value::Null);
    let after = |field: &str| Condition::Not(Box::new(Condition::AtMost(field.into(), day())));
    let not_repealed = || after("repealed_on");
    let not_amended = || after("amended_on");
    let not_over = || {
        Condition::Any(vec![
            unset("effective_until"),
            Condition::AtLeast("effective_until".into(), day()),
        ])
    };
    let begun = || {
        Condition::Any(vec![
            unset("begins"),
            Condition::AtMost("begins".into(), day()),
        ])
    };
    let not = |condition: Condition| Condition::Not(Box::new(condition));
    let standing = Condition::is("withdrawn", false);
    match status {
        DocumentStatus::Withdrawn => vec![Condition::is("withdrawn", true)],
        DocumentStatus::Repealed => vec![standing, Condition::AtMost("repealed_on".into(), day())],
        DocumentStatus::Amended => vec![
            standing,
            not_repealed(),
            Condition::Any(vec![
                Condition::is("replaced", true),
                Condition::AtMost("amended_on".into(), day()),
            ]),
        ],
        rest => {
            let mut all = vec![
                standing,
                not_repealed(),
                not_amended(),
                not(Condition::is("replaced", true)),
            ];
            match rest {
                DocumentStatus::Expired => all.push(not(not_over())),
                DocumentStatus::Upcoming => all.extend([not_over(), not(begun())]),
                _ => all.extend([not_over(), begun()]),
            }
            all
        }
    }
}

/// What a list shows: every document as it stands last, and an earlier version for as long as it is the one in force.
pub fn listed(on: Date) -> Condition {
    let not = |condition: Condition| Condition::Not(Box::new(condition));
    let not_current = with_status(DocumentStatus::Current, on)
        .into_iter()
        .map(not);
    Condition::Any(vec![
        Condition::is("version_of", Value::Null),
        not(Condition::Any(not_current.collect())),
    ])
}
