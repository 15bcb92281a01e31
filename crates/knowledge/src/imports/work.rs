//! The work of an import: batch after batch, each whole.

use std::{collections::HashSet, path::Path};

use kernel::{
    Error, ErrorCode, Result,
    events::Event,
    records::{Condition, Query, Sort, Write},
    time,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    IMPORTS, Import, ImportRecord, ImportRow, ImportState, Imports, ROWS, RowRecord, Running,
    pictures::Pictures,
};
use crate::{Incoming, Outcome};

/// A batch ends at so many files …
const BATCH_FILES: usize = 48;
/// … or so many bytes.
const BATCH_BYTES: usize = 8 << 20;

/// Files read, to be imported together.
#[derive(Default)]
struct Batch {
    bytes: usize,
    rows: Vec<RowRecord>,
    files: Vec<Result<Incoming>>,
    /// Pictures that wait from now on.
    pictures: Vec<RowRecord>,
}

impl Batch {
    fn push(&mut self, row: RowRecord, file: Result<Incoming>) {
        self.bytes += file.as_ref().map_or(0, |f| f.bytes.len());
        self.rows.push(row);
        self.files.push(file);
    }

    fn full(&self) -> bool {
        self.rows.len() + self.pictures.len() >= BATCH_FILES || self.bytes >= BATCH_BYTES
    }
}

impl Imports {
    pub(super) async fn work(&self, mut import: ImportRecord, running: &Running) -> Result<()> {
        let mut batch = Batch::default();
        let mut pictures = self.pictures(&import.id).await?;
        while !running.is_cancelled() {
            let waiting = self.waiting(&import.id).await?;
            if waiting.is_empty() {
                break;
            }
            for row in waiting {
                if running.is_cancelled() {
                    break;
                }
                self.take(&import, row, &mut batch, &mut pictures, running)
                    .await?;
                if batch.full() {
                    self.commit(&import, &mut batch, &mut pictures, running)
                        .await?;
                }
            }
            self.commit(&import, &mut batch, &mut pictures, running)
                .await?;
        }
        self.leave_rest(&import, running).await?;
        import.state = if running.is_cancelled() {
            ImportState::Cancelled
        } else {
            ImportState::Done
        };
        import.finished_at = Some(time::now());
        let counts = self.summary(&import).await?;
        let event = Event::new(
            "knowledge.import_finished",
            &import.id,
            json!({
                "space": import.space,
                "state": import.state,
                "imported": counts.imported,
                "unchanged": counts.unchanged,
                "failed": counts.failed,
                "pictures": counts.pictures,
            }),
        );
        let finished = vec![Write::put(&IMPORTS, &import.id, &import)?, event.write()?];
        self.library.records().apply(finished).await?;
        self.discard(&import.id).await;
        self.report(&import, running, Vec::new()).await
    }

    /// Documents and archives that wait.
    async fn waiting(&self, import: &str) -> Result<Vec<RowRecord>> {
        let query = Query {
            all: vec![
                Condition::is("import", import),
                Condition::is("state", "waiting"),
                Condition::is("picture", Value::Null),
            ],
            sort: Some(Sort {
                field: "place".into(),
                descending: false,
            }),
            limit: 512,
            ..Query::default()
        };
        self.library.records().list(&ROWS, &query).await
    }

    /// Reads a waiting file into the batch; an archive is opened and taken in on the way.
    async fn take(
        &self,
        import: &ImportRecord,
        row: RowRecord,
        batch: &mut Batch,
        pictures: &mut Pictures,
        running: &Running,
    ) -> Result<()> {
        let read = match &row.file {
            Some(file) => read(file, &row.row.path, self.library.limits().archive_bytes).await,
            None => Err(Error::new(
                ErrorCode::NotFound,
                "压缩包中断后未能继续，请重新导入。",
            )),
        };
        match read {
            Ok(bytes) if documents::is_archive(&row.row.path, &bytes) => {
                self.open_archive(import, row, bytes, pictures, running)
                    .await
            }
            Ok(bytes) => {
                let incoming = Incoming {
                    space: import.space.clone(),
                    path: row.row.path.clone(),
                    bytes,
                    title: None,
                };
                batch.push(row, Ok(incoming));
                Ok(())
            }
            Err(error) => {
                batch.push(row, Err(error));
                Ok(())
            }
        }
    }

    async fn open_archive(
        &self,
        import: &ImportRecord,
        row: RowRecord,
        bytes: Vec<u8>,
        pictures: &mut Pictures,
        running: &Running,
    ) -> Result<()> {
        let name = row.row.path.clone();
        let limits = self.library.limits().clone();
        let (sender, mut entries) = mpsc::channel::<documents::Entry>(16);
        let opened = tokio::task::spawn_blocking({
            let name = name.clone();
            move || {
                documents::unpack(&name, &bytes, &limits, &mut |entry| {
                    sender
                        .blocking_send(entry)
                        .map_err(|_| Error::new(ErrorCode::Unavailable, "导入已取消。"))
                })
            }
        });
        let mut batch = Batch::default();
        let mut found = 0;
        while let Some(entry) = entries.recv().await {
            if running.is_cancelled() {
                break;
            }
            found += 1;
            let shown = format!("{name} › {}", entry.path);
            // Under the archive's name, as in a folder of that name: two archives may hold the same names.
            let path = format!("{}/{}", stem(&name), entry.path);
            let mut waiting = RowRecord::waiting(&import.id, row.place, shown, None);
            if documents::is_picture(&entry.path) {
                waiting.picture = Some(path);
                match self.lay_aside(&mut waiting, entry.bytes).await? {
                    Ok(()) => {
                        pictures.wait(&waiting);
                        batch.pictures.push(waiting);
                    }
                    Err(error) => batch.push(waiting, Err(error)),
                }
            } else {
                let incoming = entry.bytes.map(|bytes| Incoming {
                    space: import.space.clone(),
                    path,
                    bytes,
                    title: None,
                });
                batch.push(waiting, incoming);
            }
            if batch.full() {
                self.commit(import, &mut batch, pictures, running).await?;
            }
        }
        drop(entries);
        self.commit(import, &mut batch, pictures, running).await?;
        let nothing = || {
            Error::new(
                ErrorCode::EmptyDocument,
                format!("“{name}”里没有可导入的文件。"),
            )
        };
        let opened = opened.await.map_err(Error::internal)?;
        match opened.and_then(|()| if found > 0 { Ok(()) } else { Err(nothing()) }) {
            // The archive itself is no document: its entries' rows stand for it.
            Ok(()) => {
                self.library
                    .records()
                    .apply(vec![Write::Delete {
                        collection: ROWS.name,
                        id: row.id(),
                    }])
                    .await?
            }
            Err(_) if running.is_cancelled() => return Ok(()),
            Err(error) => {
                self.library
                    .records()
                    .apply(vec![row.told(&Err(error)).write()?])
                    .await?
            }
        };
        self.report(import, running, Vec::new()).await
    }

    /// Commits the batch's documents together with the rows that tell of them.
    async fn commit(
        &self,
        import: &ImportRecord,
        batch: &mut Batch,
        pictures: &mut Pictures,
        running: &Running,
    ) -> Result<()> {
        let Batch {
            mut rows,
            files,
            pictures: laid,
            ..
        } = std::mem::take(batch);
        if rows.is_empty() && laid.is_empty() {
            return Ok(());
        }
        let mut readable = Vec::new();
        let mut failed: Vec<Option<Error>> = Vec::new();
        for file in files {
            match file {
                Ok(incoming) => {
                    readable.push(incoming);
                    failed.push(None);
                }
                Err(error) => failed.push(Some(error)),
            }
        }
        let staged: Vec<_> = rows.iter().filter_map(|r| r.file.clone()).collect();
        let (beside, pictures) = pictures.parts();
        let mut told = laid;
        let mut accompany = |outcomes: &[Result<Outcome>]| -> Result<Vec<Write>> {
            let mut outcomes = outcomes.iter();
            for (row, failed) in std::mem::take(&mut rows)
                .into_iter()
                .zip(std::mem::take(&mut failed))
            {
                let row = match failed {
                    Some(error) => row.told(&Err(error)),
                    None => match outcomes.next() {
                        Some(outcome) => {
                            if let Ok(outcome) = outcome {
                                told.extend(pictures.kept_with(outcome));
                            }
                            row.told(outcome)
                        }
                        None => row,
                    },
                };
                told.push(row);
            }
            // A picture whose document came in the same batch does not wait any more.
            let kept = told.iter().filter(|r| r.row.document.is_some());
            let kept: HashSet<String> = kept.map(RowRecord::id).collect();
            told.retain(|r| r.row.document.is_some() || !kept.contains(&r.id()));
            told.iter().map(RowRecord::write).collect()
        };
        self.library
            .add_beside(readable, beside, &mut accompany)
            .await?;
        for file in staged.iter().filter(|f| f.starts_with(&self.staging)) {
            let _ = tokio::fs::remove_file(file).await;
        }
        self.report(
            import,
            running,
            told.into_iter().map(ImportRow::from).collect(),
        )
        .await
    }

    pub(super) async fn report(
        &self,
        import: &ImportRecord,
        running: &Running,
        rows: Vec<ImportRow>,
    ) -> Result<()> {
        if running.progress.receiver_count() > 0 {
            let mut progress: Import = self.summary(import).await?;
            progress.rows_total = progress.total;
            progress.rows = rows;
            // Nobody may be listening any more.
            let _ = running.progress.send(progress);
        }
        Ok(())
    }
}

/// An archive's name without its ending.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

async fn read(file: &Path, name: &str, limit: u64) -> Result<Vec<u8>> {
    let size = tokio::fs::metadata(file)
        .await
        .map(|m| m.len())
        .unwrap_or(0);
    if size > limit {
        return Err(Error::new(
            ErrorCode::TooLarge,
            format!(
                "“{name}”有 {} MB，超过上限 {} MB。请拆分后再导入。",
                size >> 20,
                limit >> 20
            ),
        ));
    }
    tokio::fs::read(file).await.map_err(|e| {
        let message = match e.kind() {
            std::io::ErrorKind::NotFound => format!("“{name}”已不在原处，请重新导入。"),
            std::io::ErrorKind::PermissionDenied => format!("没有权限读取“{name}”。"),
            _ => format!("读取“{name}”失败，请重新导入。"),
        };
        Error::new(ErrorCode::NotFound, message).with_detail(e)
    })
}
