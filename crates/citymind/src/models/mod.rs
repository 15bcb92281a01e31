//! Which models the product runs on: those that an administrator chose, those of the configuration, or none.
//!
//! The choice can be changed while the product runs. A model that can't be used is said to be so, and the product goes on
//! without it.

mod capabilities;
mod choice;
mod pulling;
mod settings;
mod view;

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

use engine_models::{
    E5, GgufChat, GgufSettings, Installed, Ladder, ModelFolder, OpenAiChat, OpenAiEmbedder,
    OpenAiReranker, Patience, Puller, Purpose, Source, catalogued,
};
use engine_search::FlatVectors;
use kernel::{
    Error, ErrorCode, Result,
    models::{ChatModel, Embedder, Reranker, Site},
    records::Records,
};
use knowledge::{Library, library::Meaning};
use parking_lot::RwLock;
use platform::models::Gateway;

pub(crate) use capabilities::all as capabilities;
use choice::{Choice, Part};
pub(crate) use pulling::{Pull, stage};
pub(crate) use settings::{DEFAULT_EMBEDDER, Models};

/// Opens models, hands them to whoever uses them, and knows what has become of them.
pub(crate) struct Desk {
    settings: Models,
    folder: ModelFolder,
    /// Where the vectors of clauses are kept.
    vectors: PathBuf,
    records: Arc<dyn Records>,
    library: Arc<Library>,
    gateway: Gateway,
    in_use: RwLock<InUse>,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
}

/// What is in use at the moment.
#[derive(Clone, Default)]
struct InUse {
    choice: Choice,
    embedder: Option<Arc<dyn Embedder>>,
    chat: Option<Arc<Ladder>>,
    reranker: Option<Arc<dyn Reranker>>,
    /// Why a model that was chosen is not in use, by its name.
    faults: BTreeMap<String, String>,
}

impl Desk {
    /// Opens the models that are chosen. One that can't be opened is left out, with a word in the log.
    pub(crate) async fn open(
        settings: Models,
        vectors: PathBuf,
        records: Arc<dyn Records>,
        library: Arc<Library>,
        gateway: Gateway,
    ) -> Result<Arc<Self>> {
        let folder = settings.folder()?;
        choice::define(&*records).await?;
        let desk = Arc::new(Self {
            settings,
            folder,
            vectors,
            records,
            library,
            gateway,
            in_use: RwLock::default(),
            changing: tokio::sync::Mutex::default(),
        });
        let choice = choice::read(&*desk.records).await?;
        let _changing = desk.changing.lock().await;
        for part in Part::ALL {
            desk.take(part, &choice).await?;
        }
        desk.in_use.write().choice = choice;
        for (model, fault) in &desk.in_use.read().faults {
            tracing::warn!(model, "{fault}");
        }
        drop(_changing);
        Ok(desk)
    }

    /// The embedder in use.
    pub(crate) fn embedder_in_use(&self) -> Option<Arc<dyn Embedder>> {
        self.in_use.read().embedder.clone()
    }

    /// Which names are meant for a part: the administrator's choice, else the configuration's.
    fn names(&self, part: Part, choice: &Choice) -> Vec<String> {
        let chosen = choice.of(part);
        let names = chosen.unwrap_or_else(|| self.settings.names(part));
        let auto = |name: String| match (part, name.as_str()) {
            (Part::Embedding, "auto") => {
                let there = matches!(self.folder.find(DEFAULT_EMBEDDER), Ok(Some(_)));
                there.then(|| DEFAULT_EMBEDDER.to_owned())
            }
            (_, "none" | "") => None,
            _ => Some(name),
        };
        names.into_iter().filter_map(auto).collect()
    }

    /// Puts into use what is meant for a part.
    async fn take(&self, part: Part, choice: &Choice) -> Result<()> {
        let names = self.names(part, choice);
        let mut faults = BTreeMap::new();
        match part {
            Part::Embedding => {
                let embedder = first(&names, &mut faults, |n| self.embedder(n)).await;
                let meaning = embedder.clone().map(|e| self.meaning(e)).transpose()?;
                self.library.set_meaning(meaning).await?;
                self.in_use.write().embedder = embedder;
            }
            Part::Chat => {
                let mut rungs = Vec::new();
                for name in &names {
                    match self.chat(name).await {
                        Ok(model) => {
                            let patience = patience(model.card().site);
                            rungs.push((model, patience));
                        }
                        Err(error) => drop(faults.insert(name.clone(), error.message)),
                    }
                }
                let ladder = (!rungs.is_empty()).then(|| Arc::new(Ladder::new(rungs)));
                self.gateway
                    .set_chat(ladder.clone().map(|l| l as Arc<dyn ChatModel>));
                self.in_use.write().chat = ladder;
            }
            Part::Rerank => {
                let reranker = first(&names, &mut faults, |n| self.reranker(n)).await;
                self.library.set_reranker(reranker.clone());
                self.in_use.write().reranker = reranker;
            }
        }
        let mut in_use = self.in_use.write();
        for name in &names {
            in_use.faults.remove(name);
        }
        in_use.faults.extend(faults);
        Ok(())
    }

    fn meaning(&self, embedder: Arc<dyn Embedder>) -> Result<Meaning> {
        let vectors = FlatVectors::open(&self.vectors, &embedder.version(), embedder.dimensions())?;
        Ok(Meaning {
            embedder,
            vectors: Arc::new(vectors),
        })
    }

    async fn embedder(&self, name: String) -> Result<Arc<dyn Embedder>> {
        if let Some(endpoint) = self.settings.embedding_endpoint(&name) {
            let model = OpenAiEmbedder::new(&endpoint.endpoint, endpoint.embedding.clone())?;
            return Ok(Arc::new(model));
        }
        let (model, path) = self.local(&name, Purpose::Embedding)?;
        let threads = NonZeroUsize::new(self.settings.threads()).unwrap_or(NonZeroUsize::MIN);
        let opened = tokio::task::spawn_blocking(move || E5::open(model.name, &path, threads));
        Ok(Arc::new(opened.await.map_err(Error::internal)??))
    }

    async fn chat(&self, name: &str) -> Result<Arc<dyn ChatModel>> {
        if let Some(endpoint) = self.settings.chat_endpoint(name) {
            let model = OpenAiChat::new(&endpoint.endpoint, endpoint.abilities)?;
            return Ok(Arc::new(model));
        }
        let (model, path) = self.local(name, Purpose::Chat)?;
        let settings = GgufSettings::default();
        let opened =
            tokio::task::spawn_blocking(move || GgufChat::open(&model.name, &path, &settings));
        Ok(Arc::new(opened.await.map_err(Error::internal)??))
    }

    async fn reranker(&self, name: String) -> Result<Arc<dyn Reranker>> {
        let endpoint = self.settings.rerank_endpoint(&name);
        let endpoint = endpoint.ok_or_else(|| unknown(&name))?;
        let model = OpenAiReranker::new(&endpoint.endpoint, endpoint.rerank.clone())?;
        Ok(Arc::new(model))
    }

    /// A pulled model and its file.
    fn local(&self, name: &str, purpose: Purpose) -> Result<(Installed, PathBuf)> {
        let model = catalogued(name).ok_or_else(|| unknown(name))?;
        if model.purpose != purpose {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("模型“{name}”不是用于{}的。", Part::of(purpose).label()),
            ));
        }
        let installed = self.folder.find(name)?.ok_or_else(|| {
            Error::new(
                ErrorCode::ModelUnavailable,
                format!("模型“{name}”还没有下载，请先运行 citymind models pull {name}。"),
            )
        })?;
        let path = self.folder.root().join(name).join(&installed.file);
        Ok((installed, path))
    }

    /// What a name can be used for; `None` where nothing has that name.
    fn part_of(&self, name: &str) -> Option<Part> {
        if let Some(model) = catalogued(name) {
            return Some(Part::of(model.purpose));
        }
        if self.settings.chat_endpoint(name).is_some() {
            Some(Part::Chat)
        } else if self.settings.embedding_endpoint(name).is_some() {
            Some(Part::Embedding)
        } else if self.settings.rerank_endpoint(name).is_some() {
            Some(Part::Rerank)
        } else {
            None
        }
    }

    /// Uses other models for a part from now on, in this process and after a restart. Nothing changes where one of them
    /// can't be opened.
    ///
    /// # Errors
    /// `InvalidInput`, `ModelUnavailable`, `DamagedFile`, `Storage`.
    pub(crate) async fn choose(&self, part: Part, names: Option<Vec<String>>) -> Result<()> {
        let _changing = self.changing.lock().await;
        for name in names.iter().flatten() {
            let known = self.part_of(name);
            if known.is_none() {
                return Err(unknown(name));
            }
            if known != Some(part) {
                let message = format!("模型“{name}”不是用于{}的。", part.label());
                return Err(Error::new(ErrorCode::InvalidInput, message));
            }
        }
        let before = self.in_use.read().choice.clone();
        let mut choice = before.clone();
        choice.set(part, names);
        self.take(part, &choice).await?;
        let wanted = self.names(part, &choice);
        let fault = wanted
            .iter()
            .find_map(|n| self.in_use.read().faults.get(n).cloned());
        if let Some(message) = fault {
            self.take(part, &before).await?;
            return Err(Error::new(ErrorCode::ModelUnavailable, message));
        }
        choice::write(&*self.records, &choice).await?;
        self.in_use.write().choice = choice;
        Ok(())
    }

    /// A model has come: what waited for it uses it now.
    pub(crate) async fn came(&self, name: &str) -> Result<()> {
        let _changing = self.changing.lock().await;
        let choice = self.in_use.read().choice.clone();
        for part in Part::ALL {
            if self.names(part, &choice).iter().any(|n| n == name) {
                self.take(part, &choice).await?;
            }
        }
        Ok(())
    }

    /// Why a model that was chosen is not in use.
    pub(crate) fn first_fault(&self) -> Option<String> {
        self.in_use.read().faults.values().next().cloned()
    }

    /// Brings models of the catalogue.
    pub(crate) fn puller(&self) -> Puller {
        Puller::new(self.folder.clone(), self.settings.sources(None))
    }
}

/// A model in this process reads the evidence at some fifty tokens a second before it writes.
fn patience(site: Site) -> Patience {
    let first_text = match site {
        Site::Local => Duration::from_secs(60),
        Site::Remote => Patience::default().first_text,
    };
    Patience {
        first_text,
        ..Patience::default()
    }
}

/// The first of these models that can be opened; why others can't is told.
async fn first<T, F: Future<Output = Result<T>>>(
    names: &[String],
    faults: &mut BTreeMap<String, String>,
    open: impl Fn(String) -> F,
) -> Option<T> {
    for name in names {
        match open(name.clone()).await {
            Ok(model) => return Some(model),
            Err(error) => {
                tracing::debug!(name, detail = error.detail, "a model can't be opened");
                faults.insert(name.clone(), error.message);
            }
        }
    }
    None
}

fn unknown(name: &str) -> Error {
    Error::new(
        ErrorCode::InvalidInput,
        format!("没有名为“{name}”的模型。可用的名称见 citymind models list。"),
    )
}

/// Where the command line's pulls come from: what it names, else what the configuration names.
pub(crate) fn sources(settings: &Models, from: Option<PathBuf>) -> Vec<Source> {
    settings.sources(from)
}
