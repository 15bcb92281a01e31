//! What the outside sees of the models.

use engine_models::{RungState, catalogue};
use kernel::{
    Result,
    models::{ModelCard, Site},
};
use knowledge::library::MeaningState;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Desk, Part};

/// What the product runs on, for everybody.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunsOn {
    pub(crate) chat: Option<ModelCard>,
    pub(crate) embedder: Option<ModelCard>,
}

impl RunsOn {
    /// The same in Chinese, for the log.
    pub(crate) fn told(&self) -> String {
        let chat = self.chat.as_ref().map_or("无语言模型".to_owned(), |c| {
            let site = match c.site {
                Site::Local => "本地",
                Site::Remote => "远程",
            };
            format!("{site}语言模型 {}", c.name)
        });
        let search = self.embedder.as_ref().map_or("按字词检索".to_owned(), |e| {
            format!("按字词和含义检索（{}）", e.name)
        });
        format!("{chat}，{search}")
    }
}

/// All models, for those who keep them.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ModelsView {
    /// How far clauses are embedded; empty where none are.
    meaning: Option<MeaningState>,
    /// The chat models in use, the best first.
    chat: Vec<RungState>,
    /// The reranker in use.
    reranker: Option<ModelCard>,
    /// All that can be used.
    models: Vec<ModelView>,
    /// Where pulled models lie.
    folder: String,
}

/// A model that can be used.
#[derive(Debug, Serialize, JsonSchema)]
struct ModelView {
    /// By which it is pulled and used.
    name: String,
    /// For people.
    title: String,
    /// What for.
    part: Part,
    /// Where it runs.
    site: Site,
    /// It can be used: pulled, or an endpoint of the configuration.
    available: bool,
    /// Its place among those in use for the same, from 1; 0 where it is not in use.
    place: usize,
    /// Why it is not in use though it was chosen.
    fault: Option<String>,
    /// Its size in bytes, of one that is pulled.
    size: Option<u64>,
    /// The SHA-256 of its file.
    sha256: Option<String>,
    /// Its licence.
    licence: Option<String>,
    /// What an administrator should know.
    notes: Option<String>,
    /// Where it came from, once pulled.
    source: Option<String>,
}

impl Desk {
    /// What the product runs on.
    pub(crate) fn runs_on(&self) -> RunsOn {
        let in_use = self.in_use.read();
        RunsOn {
            chat: in_use
                .chat
                .as_ref()
                .and_then(|ladder| ladder.state().into_iter().next())
                .map(|rung| rung.model),
            embedder: in_use.embedder.as_ref().map(|e| e.card()),
        }
    }

    pub(super) fn view(&self) -> Result<ModelsView> {
        let in_use = self.in_use.read().clone();
        let mut models = Vec::new();
        for model in catalogue() {
            let installed = self.folder.find(&model.name)?;
            models.push(ModelView {
                name: model.name.clone(),
                title: model.title.clone(),
                part: Part::of(model.purpose),
                site: Site::Local,
                available: installed.is_some(),
                place: 0,
                fault: None,
                size: Some(model.size),
                sha256: Some(model.sha256.clone()),
                licence: Some(model.licence.clone()),
                notes: Some(model.notes.clone()),
                source: installed.map(|i| i.source),
            });
        }
        let s = &self.settings;
        let endpoints = [
            s.chat_endpoints
                .iter()
                .map(|e| (Part::Chat, e.endpoint.title()))
                .collect::<Vec<_>>(),
            s.embedding_endpoints
                .iter()
                .map(|e| (Part::Embedding, e.endpoint.title()))
                .collect(),
            s.rerank_endpoints
                .iter()
                .map(|e| (Part::Rerank, e.endpoint.title()))
                .collect(),
        ];
        for (part, title) in endpoints.into_iter().flatten() {
            models.push(ModelView {
                name: title.to_owned(),
                title: title.to_owned(),
                part,
                site: Site::Remote,
                available: true,
                place: 0,
                fault: None,
                size: None,
                sha256: None,
                licence: None,
                notes: None,
                source: None,
            });
        }
        for model in &mut models {
            let names = self.names(model.part, &in_use.choice);
            let at = names.iter().position(|n| *n == model.name);
            model.fault = at.and_then(|_| in_use.faults.get(&model.name).cloned());
            if model.fault.is_none() {
                model.place = at.map_or(0, |at| at + 1);
            }
        }
        Ok(ModelsView {
            meaning: self.library.meaning_state(),
            chat: in_use.chat.map(|l| l.state()).unwrap_or_default(),
            reranker: in_use.reranker.map(|r| r.card()),
            models,
            folder: self.folder.root().display().to_string(),
        })
    }
}
