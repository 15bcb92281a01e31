//! Files on their way in, with a row per file, through crashes.
//!
//! An import is a stored job. Its files wait in the staging folder (or where they lie); each batch of documents is
//! committed together with the rows that tell of it, so that after a crash the job goes on with the rows still waiting
//! and nothing is half-imported.
//!
//! Pictures are no documents: they wait, those of an archive in the staging folder as well, until a document refers to
//! them. They are kept in the batch of that document; what nobody refers to is not kept.

mod pictures;
mod record;
mod work;

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use kernel::{
    Error, ErrorCode, Page, Result,
    events::EVENTS,
    id::fresh,
    identity::Caller,
    page::PageRequest,
    records::{Condition, Query, Sort, Write},
    time,
};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::broadcast;

use record::{IMPORTS, ImportRecord, ROWS, RowRecord};
pub use record::{Import, ImportRow, ImportState, RowState};

use crate::Library;

/// A file that waits to be imported.
#[derive(Clone, Debug)]
pub struct Staged {
    /// The path under which it is to be known.
    pub path: String,
    /// Where its bytes lie.
    pub file: PathBuf,
}

/// The imports of a library.
pub struct Imports {
    library: Arc<Library>,
    staging: PathBuf,
    origin: String,
    running: Mutex<HashMap<String, Running>>,
    /// Imports that storing failed for, with the reason for the person.
    halted: Mutex<HashMap<String, String>>,
}

#[derive(Clone)]
struct Running {
    progress: broadcast::Sender<Import>,
    cancelled: Arc<AtomicBool>,
}

impl Running {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

impl Imports {
    /// The imports of a library; `staging` is the folder where uploads wait, `origin` tells this data folder from those of
    /// other processes that share the store. Imports that a crash cut off are not resumed
    /// until [`Imports::resume`].
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(
        library: Arc<Library>,
        staging: impl Into<PathBuf>,
        origin: impl Into<String>,
    ) -> Result<Arc<Self>> {
        library.records().define(&[IMPORTS, ROWS, EVENTS]).await?;
        Ok(Arc::new(Self {
            library,
            staging: staging.into(),
            origin: origin.into(),
            running: Mutex::default(),
            halted: Mutex::default(),
        }))
    }

    /// The library that the imports go to.
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// A new id and a folder for its uploads.
    ///
    /// # Errors
    /// `Storage`, `StorageFull`.
    pub async fn stage(&self) -> Result<(String, PathBuf)> {
        let id = fresh();
        let folder = self.staging.join(&id);
        tokio::fs::create_dir_all(&folder)
            .await
            .map_err(staging_error)?;
        Ok((id, folder))
    }

    /// Throws away uploads that will not be imported.
    pub async fn discard(&self, id: &str) {
        // What can't be removed now is removed at the next start.
        let _ = tokio::fs::remove_dir_all(self.staging.join(id)).await;
    }

    /// Starts an import of files in the background.
    ///
    /// # Errors
    /// `InvalidInput` without a file; `Storage`, `StorageFull`.
    pub async fn start(
        self: &Arc<Self>,
        id: String,
        space: &str,
        files: Vec<Staged>,
    ) -> Result<Import> {
        if files.is_empty() {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "没有收到文件。请选择 docx、pdf、xlsx、csv、html、md、txt 文件或它们的 zip 压缩包。",
            ));
        }
        let import = ImportRecord {
            id: id.clone(),
            space: if space.trim().is_empty() {
                "默认".to_owned()
            } else {
                space.trim().to_owned()
            },
            state: ImportState::Running,
            created_at: time::now(),
            finished_at: None,
            origin: self.origin.clone(),
        };
        let mut batch = vec![Write::put(&IMPORTS, &id, &import)?];
        let mut paths = HashSet::new();
        for (place, staged) in files.into_iter().enumerate() {
            let known = !paths.insert(staged.path.clone());
            let picture = documents::is_picture(&staged.path).then(|| staged.path.clone());
            let shown = if known {
                format!("{}（第 {} 个文件，同名）", staged.path, place + 1)
            } else {
                staged.path
            };
            let mut row = RowRecord::waiting(&import.id, place as u64, shown, Some(staged.file));
            row.picture = picture;
            if known {
                row = row.told(&Err(Error::new(
                    ErrorCode::Conflict,
                    "同一次上传中已有同名文件，这一个没有导入。请改名后再导入。",
                )));
            }
            batch.push(row.write()?);
        }
        self.library.records().apply(batch).await?;
        self.spawn(import.clone());
        self.summary(&import).await
    }

    /// Goes on with the imports that were cut off, and removes uploads that belong to none. Returns how many go on.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn resume(self: &Arc<Self>) -> Result<usize> {
        let query = Query {
            all: vec![
                Condition::is("state", "running"),
                Condition::is("origin", self.origin.as_str()),
            ],
            ..Query::default()
        };
        let open: Vec<ImportRecord> = self.library.records().list(&IMPORTS, &query).await?;
        if let Ok(mut folders) = tokio::fs::read_dir(&self.staging).await {
            while let Ok(Some(folder)) = folders.next_entry().await {
                let name = folder.file_name().to_string_lossy().into_owned();
                if !open.iter().any(|i| i.id == name) {
                    self.discard(&name).await;
                }
            }
        }
        let count = open.len();
        open.into_iter().for_each(|import| self.spawn(import));
        Ok(count)
    }

    fn spawn(self: &Arc<Self>, import: ImportRecord) {
        let running = Running {
            progress: broadcast::channel(64).0,
            cancelled: Arc::default(),
        };
        self.running
            .lock()
            .insert(import.id.clone(), running.clone());
        let imports = self.clone();
        tokio::spawn(async move {
            let id = import.id.clone();
            if let Err(error) = imports.work(import, &running).await {
                tracing::error!(import = id, %error, detail = error.detail, "import stopped; it goes on at the next start");
                imports.halted.lock().insert(id.clone(), error.message);
            }
            imports.running.lock().remove(&id);
        });
    }

    /// Follows an import: every change of its rows as it happens. `None` once it is over.
    pub fn follow(&self, id: &str) -> Option<broadcast::Receiver<Import>> {
        self.running.lock().get(id).map(|r| r.progress.subscribe())
    }

    /// Stops an import after the batch under way; what is imported stays.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn cancel(&self, id: &str) -> Result<Import> {
        let running = self.running.lock().get(id).cloned();
        match running {
            Some(running) => running.cancelled.store(true, Ordering::Release),
            None => self.give_up(id).await?,
        }
        self.get(
            id,
            None,
            PageRequest {
                page: None,
                page_size: Some(1),
            },
        )
        .await
    }

    /// Ends an import that nobody works on any more.
    async fn give_up(&self, id: &str) -> Result<()> {
        let records = self.library.records();
        let import: Option<ImportRecord> = records.read(&IMPORTS, id).await?;
        if let Some(mut import) = import.filter(|i| i.state == ImportState::Running) {
            import.state = ImportState::Cancelled;
            import.finished_at = Some(time::now());
            records.save(&IMPORTS, id, &import).await?;
            self.halted.lock().remove(id);
            self.discard(id).await;
        }
        Ok(())
    }

    /// Refuses whoever may not see the space of an import: its rows name documents.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn require_seen(&self, caller: &Caller, id: &str) -> Result<()> {
        let found: Option<ImportRecord> = self.library.records().read(&IMPORTS, id).await?;
        match found.filter(|import| caller.sees(&import.space)) {
            Some(_) => Ok(()),
            None => Err(Error::not_found("这次导入")),
        }
    }

    /// Imports into spaces that the caller may see, the latest first, without their rows.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Import>> {
        let records = self.library.records();
        let hidden: Vec<Value> = caller
            .hidden_spaces
            .iter()
            .map(|s| s.as_str().into())
            .collect();
        let mut all = Vec::new();
        if !hidden.is_empty() {
            all.push(Condition::Not(Box::new(Condition::In(
                "space".into(),
                hidden,
            ))));
        }
        let query = Query {
            all: all.clone(),
            sort: Some(Sort {
                field: "created_at".into(),
                descending: true,
            }),
            offset: page.offset(),
            limit: page.size(),
        };
        let mut items = Vec::new();
        for import in records.list::<ImportRecord>(&IMPORTS, &query).await? {
            items.push(self.summary(&import).await?);
        }
        Ok(page.of(items, records.count(&IMPORTS, &all).await?))
    }

    /// An import with a page of its rows.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn get(
        &self,
        id: &str,
        state: Option<RowState>,
        page: PageRequest,
    ) -> Result<Import> {
        let records = self.library.records();
        let import: ImportRecord = records
            .read(&IMPORTS, id)
            .await?
            .ok_or_else(|| Error::not_found("这次导入"))?;
        let mut out = self.summary(&import).await?;
        let mut all = vec![Condition::is("import", id)];
        let halted = self.halted.lock().get(id).cloned();
        if let Some(state) = state {
            let mut states = vec![state];
            if halted.is_some() && state == RowState::Failed {
                states.push(RowState::Waiting);
            }
            let states = states
                .into_iter()
                .map(|s| serde_json::to_value(s).map_err(Error::internal));
            all.push(Condition::In(
                "state".into(),
                states.collect::<Result<_>>()?,
            ));
        }
        out.rows_total = records.count(&ROWS, &all).await?;
        let sort = Some(Sort {
            field: "place".into(),
            descending: false,
        });
        let query = Query {
            all,
            sort,
            offset: page.offset(),
            limit: page.size(),
        };
        out.rows = records
            .list::<RowRecord>(&ROWS, &query)
            .await?
            .into_iter()
            .map(ImportRow::from)
            .map(|row| match &halted {
                Some(why) => row.held_up(why),
                None => row,
            })
            .collect();
        Ok(out)
    }

    async fn summary(&self, import: &ImportRecord) -> Result<Import> {
        let mine = [Condition::is("import", import.id.as_str())];
        let counts = self
            .library
            .records()
            .count_by(&ROWS, "state", &mine)
            .await?;
        let mut out = Import::of(import, &counts);
        if self.halted.lock().contains_key(&import.id) {
            out.state = ImportState::Halted;
            out.failed += std::mem::take(&mut out.waiting);
        }
        Ok(out)
    }
}

fn staging_error(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::new(
            ErrorCode::StorageFull,
            "存储空间已满，上传的文件没有保存。请清理磁盘或扩容后重试；已导入的内容不受影响。",
        ),
        _ => Error::new(
            ErrorCode::Storage,
            "暂存上传的文件失败，请稍后再试或联系管理员。",
        ),
    }
    .with_detail(error)
}
