//! What the store keeps of imports, and what the outside sees.

use std::path::PathBuf;

use jiff::civil::Date;
use kernel::{
    Result,
    id::derived,
    records::{Collection, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Outcome, compare::Changes, library::OutcomeState, record::DocumentRecord};

pub(super) const IMPORTS: Collection = Collection {
    name: "imports",
    indexed: &["state", "created_at"],
};
pub(super) const ROWS: Collection = Collection {
    name: "import_rows",
    indexed: &["import", "state", "place"],
};

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// Files still wait.
    Running,
    /// Every file has its outcome.
    Done,
    /// It was stopped; what was imported stays.
    Cancelled,
    /// Storing failed (a full disk); it goes on at the next start.
    Halted,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// Not yet looked at.
    Waiting,
    /// A new document.
    Imported,
    /// A document was changed.
    Updated,
    /// The same file was there already.
    Unchanged,
    /// It could not be read; `error` says why.
    Failed,
    /// A picture that is kept with the document that refers to it.
    Picture,
    /// A picture that was not kept, since no document refers to it.
    Unused,
}

/// An import of files.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Import {
    /// Its id.
    pub id: String,
    /// The knowledge space it goes to.
    pub space: String,
    /// How far it is.
    pub state: ImportState,
    /// When it began.
    pub created_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// How many files it has, those found in archives included.
    pub total: u64,
    /// How many gave a new or changed document.
    pub imported: u64,
    /// How many were there already.
    pub unchanged: u64,
    /// How many could not be read.
    pub failed: u64,
    /// How many are pictures that are kept with documents.
    #[serde(default)]
    pub pictures: u64,
    /// How many are pictures to which no document refers.
    #[serde(default)]
    pub unused: u64,
    /// How many still wait.
    pub waiting: u64,
    /// A page of its files; while following, those that changed.
    pub rows: Vec<ImportRow>,
    /// How many files there are on all pages.
    pub rows_total: u64,
}

/// A file of an import.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ImportRow {
    /// Its path; files in an archive follow the archive's name and `›`.
    pub path: String,
    /// What became of it.
    pub state: RowState,
    /// Its document; of a picture the first that refers to it.
    pub document: Option<String>,
    /// The document's title.
    pub title: Option<String>,
    /// How many clauses were found.
    pub clauses: Option<usize>,
    /// How they differ from those of the version before, if there is one.
    #[serde(default)]
    pub changes: Option<Changes>,
    /// When it was issued.
    #[schemars(with = "Option<String>")]
    pub issued: Option<Date>,
    /// First day in force.
    #[schemars(with = "Option<String>")]
    pub effective_from: Option<Date>,
    /// Last day in force.
    #[schemars(with = "Option<String>")]
    pub effective_until: Option<Date>,
    /// What a person should look at.
    pub warnings: Vec<String>,
    /// Why it could not be read and what to do.
    pub error: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ImportRecord {
    pub(super) id: String,
    pub(super) space: String,
    pub(super) state: ImportState,
    pub(super) created_at: String,
    pub(super) finished_at: Option<String>,
    /// The data folder in which its files wait: only a process of that folder can go on with it.
    #[serde(default)]
    pub(super) origin: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RowRecord {
    pub(super) import: String,
    pub(super) place: u64,
    /// Where the bytes lie, for files that are not inside an archive and for pictures.
    pub(super) file: Option<PathBuf>,
    /// The path by which documents refer to it, if it is a picture.
    #[serde(default)]
    pub(super) picture: Option<String>,
    #[serde(flatten)]
    pub(super) row: ImportRow,
}

impl RowRecord {
    pub(super) fn waiting(import: &str, place: u64, path: String, file: Option<PathBuf>) -> Self {
        let row = ImportRow {
            path,
            state: RowState::Waiting,
            document: None,
            title: None,
            clauses: None,
            changes: None,
            issued: None,
            effective_from: None,
            effective_until: None,
            warnings: Vec::new(),
            error: None,
        };
        Self {
            import: import.to_owned(),
            place,
            file,
            picture: None,
            row,
        }
    }

    /// The same for a picture, to which documents refer by this path.
    pub(super) fn picture(mut self, path: String) -> Self {
        self.picture = Some(path);
        self
    }

    /// The row's id: the same file of the same import has the same row, also when an archive is opened again.
    pub(super) fn id(&self) -> String {
        derived(&[&self.import, &self.row.path])
    }

    pub(super) fn write(&self) -> Result<Write> {
        Write::put(&ROWS, self.id(), self)
    }

    /// A picture that is kept with a document.
    pub(super) fn kept_with(mut self, document: &DocumentRecord) -> Self {
        self.row.state = RowState::Picture;
        self.row.document = Some(document.id.clone());
        self.row.title = Some(document.title.clone());
        self
    }

    /// A picture that no document wants.
    pub(super) fn unused(mut self) -> Self {
        self.row.state = RowState::Unused;
        self.row.warnings = vec![
            "这次收录的文件都没有引用这张图片，没有保存。需要的话，请在文件里引用它，再和文件一起导入。"
                .to_owned(),
        ];
        self
    }

    pub(super) fn told(mut self, outcome: &Result<Outcome>) -> Self {
        match outcome {
            Ok(outcome) => {
                let d = &outcome.document;
                self.row.state = match outcome.state {
                    OutcomeState::Imported => RowState::Imported,
                    OutcomeState::Updated => RowState::Updated,
                    OutcomeState::Unchanged => RowState::Unchanged,
                };
                self.row.document = Some(d.id.clone());
                self.row.title = Some(d.title.clone());
                self.row.clauses = Some(d.clauses);
                self.row.changes = outcome.changes;
                (
                    self.row.issued,
                    self.row.effective_from,
                    self.row.effective_until,
                ) = (d.issued, d.effective_from, d.effective_until);
                self.row.warnings.clone_from(&outcome.warnings);
            }
            Err(error) => {
                self.row.state = RowState::Failed;
                self.row.error = Some(error.message.clone());
            }
        }
        self
    }
}

impl ImportRow {
    /// A file that could not be taken in because storing failed.
    pub(super) fn held_up(mut self, why: &str) -> Self {
        if self.state == RowState::Waiting {
            self.state = RowState::Failed;
            self.error = Some(why.to_owned());
        }
        self
    }
}

impl From<RowRecord> for ImportRow {
    fn from(record: RowRecord) -> Self {
        record.row
    }
}

impl Import {
    pub(super) fn of(record: &ImportRecord, counts: &[(Value, u64)]) -> Self {
        let of = |name: &str| {
            counts
                .iter()
                .filter(|(v, _)| v == name)
                .map(|(_, n)| n)
                .sum::<u64>()
        };
        Self {
            id: record.id.clone(),
            space: record.space.clone(),
            state: record.state,
            created_at: record.created_at.clone(),
            finished_at: record.finished_at.clone(),
            total: counts.iter().map(|(_, n)| n).sum(),
            imported: of("imported") + of("updated"),
            unchanged: of("unchanged"),
            failed: of("failed"),
            pictures: of("picture"),
            unused: of("unused"),
            waiting: of("waiting"),
            rows: Vec::new(),
            rows_total: 0,
        }
    }
}
