//! Pictures of an import, from where they wait to the documents that refer to them.

use std::{collections::HashMap, path::PathBuf};

use kernel::{
    Error, ErrorCode, Result,
    records::{Condition, Query, Sort},
};
use serde_json::Value;

use super::{ImportRecord, ImportRow, Imports, ROWS, RowRecord, Running, staging_error};
use crate::{
    Outcome,
    library::{Beside, pictures::load},
};

/// So many rows are told at once.
const PAGE: u64 = 512;

/// The pictures of an import, by the path by which documents refer to them.
pub(super) struct Pictures {
    beside: Beside,
    rows: Rows,
}

/// The rows of pictures.
pub(super) struct Rows {
    import: String,
    by_path: HashMap<String, Lying>,
}

/// What is needed to tell the row of a picture.
struct Lying {
    place: u64,
    shown: String,
    file: Option<PathBuf>,
    told: bool,
}

impl Pictures {
    /// Takes a picture along that lies somewhere.
    pub(super) fn wait(&mut self, row: &RowRecord) {
        let (Some(path), Some(file)) = (&row.picture, &row.file) else {
            return;
        };
        self.beside.insert(path.clone(), file.clone());
        let lying = Lying {
            place: row.place,
            shown: row.row.path.clone(),
            file: row.file.clone(),
            told: row.row.document.is_some(),
        };
        self.rows.by_path.insert(path.clone(), lying);
    }

    /// Where they lie, and their rows.
    pub(super) fn parts(&mut self) -> (&Beside, &mut Rows) {
        (&self.beside, &mut self.rows)
    }
}

impl Rows {
    /// The rows of pictures that are kept with a document, of those that did not say so yet.
    pub(super) fn kept_with(&mut self, outcome: &Outcome) -> Vec<RowRecord> {
        let mut rows = Vec::new();
        for path in &outcome.pictures {
            if let Some(lying) = self.by_path.get_mut(path).filter(|l| !l.told) {
                lying.told = true;
                let (shown, file) = (lying.shown.clone(), lying.file.clone());
                let row = RowRecord::waiting(&self.import, lying.place, shown, file);
                rows.push(row.picture(path.clone()).kept_with(&outcome.document));
            }
        }
        rows
    }
}

impl Imports {
    /// The pictures that an import has so far: those that were uploaded, and after a crash those out of archives.
    pub(super) async fn pictures(&self, import: &str) -> Result<Pictures> {
        let mut pictures = Pictures {
            beside: Beside::new(),
            rows: Rows {
                import: import.to_owned(),
                by_path: HashMap::new(),
            },
        };
        let states = ["waiting", "picture"].map(Value::from).to_vec();
        let mut page = Query {
            all: vec![
                Condition::is("import", import),
                Condition::In("state".into(), states),
                Condition::Not(Box::new(Condition::is("picture", Value::Null))),
            ],
            limit: PAGE,
            ..Query::default()
        };
        loop {
            let rows: Vec<RowRecord> = self.library.records().list(&ROWS, &page).await?;
            rows.iter().for_each(|row| pictures.wait(row));
            if (rows.len() as u64) < PAGE {
                return Ok(pictures);
            }
            page.offset += PAGE;
        }
    }

    /// Lays a picture out of an archive into the staging folder, where it waits. What is none is told at once.
    pub(super) async fn lay_aside(
        &self,
        row: &mut RowRecord,
        bytes: Result<Vec<u8>>,
    ) -> Result<Result<()>> {
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(error)),
        };
        let limits = self.library.limits().clone();
        let checked = tokio::task::spawn_blocking(move || {
            documents::picture_media(&bytes, &limits).map(|_| bytes)
        });
        let bytes = match checked.await.map_err(Error::internal)? {
            Ok(bytes) => bytes,
            Err(why) => return Ok(Err(refused(&row.row.path, why))),
        };
        let folder = self.staging.join(&row.import).join("pictures");
        tokio::fs::create_dir_all(&folder)
            .await
            .map_err(staging_error)?;
        let file = folder.join(row.id());
        tokio::fs::write(&file, bytes)
            .await
            .map_err(staging_error)?;
        row.file = Some(file);
        Ok(Ok(()))
    }

    /// Tells the rows of pictures that still wait when every document has its outcome.
    pub(super) async fn leave_rest(&self, import: &ImportRecord, running: &Running) -> Result<()> {
        let page = Query {
            all: vec![
                Condition::is("import", import.id.as_str()),
                Condition::is("state", "waiting"),
                Condition::Not(Box::new(Condition::is("picture", Value::Null))),
            ],
            sort: Some(Sort {
                field: "place".into(),
                descending: false,
            }),
            limit: PAGE,
            ..Query::default()
        };
        while !running.is_cancelled() {
            let waiting: Vec<RowRecord> = self.library.records().list(&ROWS, &page).await?;
            if waiting.is_empty() {
                break;
            }
            let limits = self.library.limits().clone();
            let told = tokio::task::spawn_blocking(move || {
                let told = waiting.into_iter().map(|row| {
                    let file = row.file.clone().unwrap_or_default();
                    match load(&file, &limits) {
                        Ok(_) => row.unused(),
                        Err(why) => {
                            let error = refused(&row.row.path, why);
                            row.told(&Err(error))
                        }
                    }
                });
                told.collect::<Vec<_>>()
            });
            let told = told.await.map_err(Error::internal)?;
            let writes = told.iter().map(RowRecord::write);
            self.library
                .records()
                .apply(writes.collect::<Result<_>>()?)
                .await?;
            let rows = told.into_iter().map(ImportRow::from).collect();
            self.report(import, running, rows).await?;
        }
        Ok(())
    }
}

fn refused(path: &str, why: &str) -> Error {
    Error::new(
        ErrorCode::UnsupportedFormat,
        format!("没有保存图片“{path}”：{why}。请换一张图片后重新导入。"),
    )
}
