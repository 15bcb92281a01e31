//! The one place where engines meet products.

use std::{path::Path, sync::Arc};

use engine_search::TantivyIndex;
use engine_store::{DataFolder, LocalFiles, SqliteRecords};
use kernel::{Result, id};
use knowledge::{Library, Limits, imports::Imports};
use platform::{
    audit::Audit, catalogue::Catalogue, changes::Changes, identity::Identity, measures::Measures,
    sessions::Sessions,
};
use service::Assistant;

use crate::{config::Config, http::doors};

/// The running product.
pub(crate) struct App {
    pub(crate) folder: DataFolder,
    pub(crate) config: Config,
    pub(crate) library: Arc<Library>,
    pub(crate) imports: Arc<Imports>,
    pub(crate) assistant: Assistant,
    pub(crate) identity: Arc<Identity>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) measures: Arc<Measures>,
    pub(crate) catalogue: Catalogue,
    /// Whoever sends it sits at this machine and may read the data folder: the command line. New at every start.
    pub(crate) local_key: String,
}

impl App {
    /// Opens a data folder with the embedded engines.
    pub(crate) async fn open(data: &Path, config: Config) -> Result<Self> {
        let folder = DataFolder::open(data)?;
        let store = Changes::new(Arc::new(SqliteRecords::open(&folder.database())?));
        let audit = Audit::open(store).await?;
        audit.spawn();
        let records = audit.accompany();
        let identity = Identity::open(records.clone(), config.identity.terms()).await?;
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
        let measures = Arc::new(Measures::default());
        let capabilities = [
            assistant.capabilities(),
            knowledge::capabilities::all(&imports),
            platform::capabilities::all(&sessions),
            platform::identity::capabilities::all(&identity),
            platform::audit::capabilities::all(&audit),
        ];
        let catalogue = Catalogue::new(
            capabilities.concat(),
            doors::ALL,
            identity.clone(),
            audit.clone(),
            measures.clone(),
        );
        Ok(Self {
            folder,
            config,
            library,
            imports,
            assistant,
            identity,
            audit,
            measures,
            catalogue,
            local_key: new_secret(),
        })
    }

    /// Writes down what has not been yet.
    pub(crate) async fn close(&self) -> Result<()> {
        self.audit.flush().await
    }
}

/// A new secret of 244 random bits, in hex.
pub(crate) fn new_secret() -> String {
    id::secret() + &id::secret()
}
