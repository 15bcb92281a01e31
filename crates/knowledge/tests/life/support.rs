//! A library over its real engines, in a folder of its own.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use citymind_knowledge::{
    Incoming, Library, Limits, Outcome,
    library::{Hit, SearchInput},
};
use engine_search::TantivyIndex;
use engine_store::{LocalFiles, SqliteRecords};
use jiff::civil::Date;
use kernel::{evidence::DocumentStatus, identity::Caller};

/// A data folder whose library can be opened again and again.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn records(&self) -> Arc<SqliteRecords> {
        Arc::new(SqliteRecords::open(&self.0.path().join("db")).unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Whether a stored file holds these bytes.
    pub(crate) fn stores(&self, bytes: &[u8]) -> bool {
        let Ok(folders) = std::fs::read_dir(self.0.path().join("files")) else {
            return false;
        };
        let mut files = folders.flat_map(|f| std::fs::read_dir(f.unwrap().path()).unwrap());
        files.any(|file| {
            let stored = std::fs::read(file.unwrap().path()).unwrap();
            stored.windows(bytes.len()).any(|w| w == bytes)
        })
    }

    /// Changes a byte of a stored file.
    pub(crate) fn damage(&self, hash: &str) {
        let file = self
            .0
            .path()
            .join("files")
            .join(&hash[..2])
            .join(&hash[2..]);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[0] ^= 1;
        std::fs::write(&file, bytes).unwrap();
    }

    pub(crate) async fn open(&self) -> Library {
        let index = Arc::new(TantivyIndex::open(&self.0.path().join("index")).unwrap());
        let files = Arc::new(LocalFiles::new(self.0.path().join("files")));
        Library::open(self.records(), files, index, Limits::default())
            .await
            .unwrap()
    }
}

pub(crate) fn file(path: &str, text: impl Into<Vec<u8>>) -> Incoming {
    Incoming {
        space: "测试".into(),
        path: path.into(),
        bytes: text.into(),
        title: None,
    }
}

pub(crate) async fn add(library: &Library, files: Vec<Incoming>) -> Vec<Outcome> {
    let outcomes = library.add(files, &mut |_| Ok(Vec::new())).await.unwrap();
    outcomes.into_iter().map(Result::unwrap).collect()
}

pub(crate) async fn add_one(library: &Library, file: Incoming) -> Outcome {
    add(library, vec![file]).await.remove(0)
}

pub(crate) async fn status(library: &Library, id: &str, on: Date) -> DocumentStatus {
    library.document(id).await.unwrap().status(on)
}

/// What a search finds on a day.
pub(crate) async fn found(library: &Library, query: &str, on: Date) -> Vec<Hit> {
    let input = SearchInput {
        query: query.into(),
        as_of: Some(on),
        limit: Some(20),
        ..SearchInput::default()
    };
    library
        .search(&Caller::default(), input)
        .await
        .unwrap()
        .hits
}

/// A file of the data that may lie beside the project.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|up| up.join("shared").join(path))
        .find(|p| p.exists());
    if data.is_none() {
        skip(path);
    }
    data
}

#[allow(clippy::print_stdout)] // A test that was skipped says so.
fn skip(path: &str) {
    println!("SKIPPED: shared/{path} is not beside the project");
}

/// Unpacks an archive into a folder.
pub(crate) fn unpack(archive: &Path, folder: &Path) {
    let tar = Command::new("tar")
        .arg("-xzf")
        .arg(archive)
        .arg("-C")
        .arg(folder)
        .status();
    assert!(tar.unwrap().success());
}
