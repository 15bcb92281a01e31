//! The one place where engines meet products.

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use engine_queue::{NatsBus, NatsOptions};
use engine_search::TantivyIndex;
use engine_store::{DataFolder, LocalFiles, PostgresRecords, S3Files, SqliteRecords};
use kernel::{
    Error, ErrorCode, Result,
    events::{EVENTS, EventBus},
    files::Files,
    id,
    records::Records,
};
use knowledge::{Library, Limits, imports::Imports};
use platform::{
    audit::Audit,
    catalogue::Catalogue,
    changes::Changes,
    events::{Events, Handler, Running},
    identity::Identity,
    jobs::{JOBS, Jobs, Workers},
    measures::Measures,
    models::Gateway,
    notices::Notices,
    sessions::Sessions,
};
use service::{
    Assistant,
    cases::{CaseDesk, CasesOutward, Deadlines},
    feedback::FeedbackBox,
    grading::Grader,
    guide::GuideDesk,
    items::Catalogue as ItemCatalogue,
    learning::Learning,
    support::{Businesses, Policies, SupportDesk},
};

use crate::{
    config::Config,
    http::doors,
    models::{self, Desk, Pull},
    training::Train,
    upkeep::{self, Upkeep},
    webhook::Webhook,
};

/// The running product.
pub(crate) struct App {
    pub(crate) folder: DataFolder,
    pub(crate) config: Config,
    pub(crate) library: Arc<Library>,
    pub(crate) imports: Arc<Imports>,
    pub(crate) assistant: Assistant,
    pub(crate) items: Arc<ItemCatalogue>,
    pub(crate) guides: GuideDesk,
    pub(crate) cases: CaseDesk,
    pub(crate) support: Arc<SupportDesk>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) events: Events,
    pub(crate) jobs: Jobs,
    pub(crate) measures: Arc<Measures>,
    pub(crate) catalogue: Catalogue,
    pub(crate) models: Arc<Desk>,
    /// The store, which tells of what this process writes.
    store: Arc<Changes>,
    /// Whoever sends it sits at this machine and may read the data folder: the command line. New at every start.
    pub(crate) local_key: String,
}

impl App {
    /// Opens a data folder with the engines that the configuration names.
    pub(crate) async fn open(data: &Path, config: Config) -> Result<Self> {
        Self::open_with(data, config, None).await
    }

    /// The same with vectors kept in a folder beyond the data folder, so that they outlive it. Models that are named and
    /// can't be used are an error.
    ///
    /// # Errors
    /// As [`App::open`]; `InvalidInput` for a model.
    pub(crate) async fn open_for_evaluation(
        data: &Path,
        config: Config,
        vectors: Option<&Path>,
    ) -> Result<Self> {
        let app = Self::open_with(data, config, vectors).await?;
        match app.models.first_fault() {
            Some(fault) => Err(Error::new(ErrorCode::InvalidInput, fault)),
            None => Ok(app),
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "the one place where everything is put together"
    )]
    async fn open_with(data: &Path, config: Config, vectors: Option<&Path>) -> Result<Self> {
        let folder = DataFolder::open(data)?;
        let store = Changes::new(records(&folder, &config).await?);
        let audit = Audit::open(store.clone()).await?;
        audit.spawn();
        let records = audit.accompany();
        let identity = Identity::open(records.clone(), config.identity.terms()).await?;
        let files = files(&folder, &config)?;
        let library = library(&folder, &config, &records, &files).await?;
        let origin = folder.secret("folder.id", id::secret)?;
        let imports = Imports::open(library.clone(), folder.staging(), origin).await?;
        let sessions = Sessions::open(records.clone()).await?;
        let gateway = Gateway::default();
        let models = Desk::open(
            config.models.clone(),
            vectors
                .map_or_else(|| folder.index(), Path::to_owned)
                .join("meaning-1"),
            records.clone(),
            library.clone(),
            gateway.clone(),
        )
        .await?;
        let items = ItemCatalogue::open(records.clone(), library.clone()).await?;
        let guides = GuideDesk::open(records.clone(), items.clone()).await?;
        let cases = CaseDesk::open(records.clone(), files.clone(), items.clone()).await?;
        let support = support(&records, &identity, &items).await?;
        let feedback = FeedbackBox::open(records.clone(), sessions.clone()).await?;
        let assistant = Assistant::new(
            library.clone(),
            sessions.clone(),
            gateway.clone(),
            guides.clone(),
        );
        let grader =
            Grader::open(assistant.clone(), library.clone(), gateway, records.clone()).await?;
        let learning = Learning::open(library.clone(), records.clone()).await?;
        let notices = Notices::open(records.clone()).await?;
        let mut handlers: Vec<Arc<dyn Handler>> = vec![notices.clone()];
        handlers.extend(outward(&config, &records)?);
        let bus = bus(&config).await?;
        let events = Events::open(records.clone(), bus, handlers, Default::default()).await?;
        let upkeep = Upkeep::new(&library, &audit, &identity, &events, &records);
        let jobs = Jobs::open(
            records,
            files,
            [
                upkeep.kinds(),
                vec![
                    Arc::new(Pull(models.clone())),
                    Arc::new(Train(learning.clone())),
                    Arc::new(Deadlines(cases.clone())),
                ],
            ]
            .concat(),
            upkeep::schedules(),
            Default::default(),
        )
        .await?;
        upkeep.know(&jobs);
        let measures = Arc::new(Measures::default());
        let capabilities = [
            assistant.capabilities(),
            service::items::capabilities::all(&items),
            service::cases::capabilities::all(&cases),
            service::support::capabilities::all(&support),
            feedback.capabilities(),
            grader.capabilities(),
            learning.capabilities(&jobs),
            knowledge::capabilities::all(&imports),
            platform::capabilities::all(&sessions),
            notices.capabilities(),
            platform::identity::capabilities::all(&identity),
            platform::audit::capabilities::all(&audit),
            platform::events::capabilities::all(&events),
            platform::jobs::capabilities::all(&jobs),
            models::capabilities(&models, &jobs),
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
            items,
            guides,
            cases,
            support,
            identity,
            audit,
            events,
            jobs,
            measures,
            catalogue,
            models,
            store,
            local_key: new_secret(),
        })
    }

    /// Works in the background until it is stopped: hands out events, follows what other processes store.
    pub(crate) fn work(self: &Arc<Self>) -> Work {
        let events = self.events.start(&self.store.of(&EVENTS));
        let jobs = self.jobs.start(&self.store.of(&JOBS));
        let follow = (!self.config.database.url.is_empty()).then(|| tokio::spawn(follow(self)));
        let library = self.library.clone();
        let embed = tokio::spawn(async move { library.keep_embedding().await });
        let items = self.items.clone();
        let understand = tokio::spawn(async move { items.keep_understanding().await });
        Work {
            embed,
            understand,
            events,
            jobs,
            follow,
        }
    }

    /// Writes down what has not been yet.
    pub(crate) async fn close(&self) -> Result<()> {
        self.audit.flush().await
    }
}

/// What is done in the background.
pub(crate) struct Work {
    embed: tokio::task::JoinHandle<()>,
    understand: tokio::task::JoinHandle<()>,
    events: Running,
    jobs: Workers,
    follow: Option<tokio::task::JoinHandle<()>>,
}

impl Work {
    /// Ends it; what is under way is finished or given back.
    pub(crate) async fn stop(self) {
        self.embed.abort();
        self.understand.abort();
        if let Some(follow) = self.follow {
            follow.abort();
        }
        // Jobs first: what they tell of is handed out yet.
        self.jobs.stop().await;
        self.events.stop().await;
    }
}

/// Other processes may share the store: what they import is to be found here as well, within seconds.
fn follow(app: &Arc<App>) -> impl Future<Output = ()> + Send + 'static {
    let app = Arc::downgrade(app);
    async move {
        let mut tick = tokio::time::interval(Duration::from_secs(2));
        let mut told = false;
        loop {
            tick.tick().await;
            let Some(app) = app.upgrade() else { return };
            match app.library.catch_up().await {
                Ok(_) => told = false,
                Err(error) if !told => {
                    tracing::warn!(detail = error.detail, "the index waits: {error}");
                    told = true;
                }
                Err(_) => {}
            }
        }
    }
}

async fn support(
    records: &Arc<dyn Records>,
    identity: &Arc<Identity>,
    items: &Arc<ItemCatalogue>,
) -> Result<Arc<SupportDesk>> {
    Ok(Arc::new(SupportDesk::new(
        Policies::open(records.clone()).await?,
        Businesses::open(records.clone(), identity.clone()).await?,
        items.bases().clone(),
    )))
}

async fn library(
    folder: &DataFolder,
    config: &Config,
    records: &Arc<dyn Records>,
    files: &Arc<dyn Files>,
) -> Result<Arc<Library>> {
    let index = Arc::new(TantivyIndex::open(&folder.index().join("lexical-1"))?);
    let limits = Limits {
        file_bytes: config.limits.file_mib << 20,
        ..Limits::default()
    };
    let library = Library::open(records.clone(), files.clone(), index, limits).await?;
    Ok(Arc::new(library))
}

async fn records(folder: &DataFolder, config: &Config) -> Result<Arc<dyn Records>> {
    let database = &config.database;
    if database.url.is_empty() {
        return Ok(Arc::new(SqliteRecords::open(&folder.database())?));
    }
    let schema = Some(database.schema.as_str()).filter(|s| !s.is_empty());
    Ok(Arc::new(
        PostgresRecords::connect(&database.url, schema).await?,
    ))
}

fn files(folder: &DataFolder, config: &Config) -> Result<Arc<dyn Files>> {
    if config.files.endpoint.is_empty() {
        return Ok(Arc::new(LocalFiles::new(folder.files())));
    }
    Ok(Arc::new(S3Files::new(&config.files.settings())?))
}

/// What brings cases to the city's own system, where one is named.
fn outward(config: &Config, records: &Arc<dyn Records>) -> Result<Option<Arc<dyn Handler>>> {
    let settings = &config.cases.webhook;
    if settings.url.is_empty() {
        return Ok(None);
    }
    let webhook = Arc::new(Webhook::new(settings)?);
    let items = settings.items.iter().cloned();
    Ok(Some(Arc::new(CasesOutward::new(
        records.clone(),
        webhook,
        items,
    ))))
}

async fn bus(config: &Config) -> Result<Option<Arc<dyn EventBus>>> {
    let events = &config.events;
    if events.nats_url.is_empty() {
        return Ok(None);
    }
    let mut options = NatsOptions::at(&events.nats_url);
    if !events.nats_prefix.is_empty() {
        options.prefix.clone_from(&events.nats_prefix);
    }
    Ok(Some(Arc::new(NatsBus::connect(options).await?)))
}

/// A new secret of 244 random bits, in hex.
pub(crate) fn new_secret() -> String {
    id::secret() + &id::secret()
}
