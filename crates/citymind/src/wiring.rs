//! The one place where engines meet products.

use std::{path::Path, sync::Arc};

use engine_search::TantivyIndex;
use engine_store::{DataFolder, LocalFiles, SqliteRecords};
use kernel::{Result, capability::Registered, id, records::Records};
use knowledge::{Library, Limits, imports::Imports};
use platform::sessions::Sessions;
use service::Assistant;

use crate::config::Config;

/// The file of the data folder that holds the operator's key.
pub(crate) const OPERATOR_KEY: &str = "operator.key";

/// The running product.
pub(crate) struct App {
    pub(crate) folder: DataFolder,
    pub(crate) config: Config,
    pub(crate) library: Arc<Library>,
    pub(crate) imports: Arc<Imports>,
    pub(crate) assistant: Assistant,
    pub(crate) capabilities: Vec<Registered>,
    /// Whoever sends it runs this installation.
    pub(crate) operator_key: String,
}

impl App {
    /// Opens a data folder with the embedded engines.
    pub(crate) async fn open(data: &Path, config: Config) -> Result<Self> {
        let folder = DataFolder::open(data)?;
        let records: Arc<dyn Records> = Arc::new(SqliteRecords::open(&folder.database())?);
        let files = Arc::new(LocalFiles::new(folder.files()));
        let index = Arc::new(TantivyIndex::open(&folder.index().join("lexical-1"))?);
        let limits = Limits {
            file_bytes: config.limits.file_mib << 20,
            ..Limits::default()
        };
        let library = Arc::new(Library::open(records.clone(), files, index, limits).await?);
        let imports = Imports::open(library.clone(), folder.staging()).await?;
        let sessions = Sessions::open(records).await?;
        let assistant = Assistant::new(library.clone(), sessions.clone());
        let capabilities = [
            assistant.capabilities(),
            knowledge::capabilities::all(&imports),
            platform::capabilities::all(&sessions),
        ];
        let operator_key = operator_key(&folder)?;
        Ok(Self {
            folder,
            config,
            library,
            imports,
            assistant,
            capabilities: capabilities.concat(),
            operator_key,
        })
    }
}

fn operator_key(folder: &DataFolder) -> Result<String> {
    folder.secret(OPERATOR_KEY, id::secret)
}
