//! Scores from an endpoint that reranks as Jina, Cohere, Xinference and vLLM do.

use async_trait::async_trait;
use kernel::{
    Result,
    models::{ModelCard, Reranker, Site},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::endpoint::{Endpoint, EndpointSettings};

/// How an endpoint's reranking model wants its passages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RerankSettings {
    /// The path below the base address.
    pub path: String,
    /// How many passages go into one request. Each is scored by itself, so that the scores of several requests go
    /// together.
    pub batch: usize,
    /// Longer passages are cut to so many characters.
    pub longest: usize,
    /// How many tokens fit, where known; for people to read.
    pub context: Option<usize>,
}

impl Default for RerankSettings {
    fn default() -> Self {
        Self {
            path: "rerank".into(),
            batch: 100,
            longest: 2_000,
            context: None,
        }
    }
}

/// A reranking model behind an endpoint: `POST {base_url}/rerank`.
#[derive(Debug)]
pub struct OpenAiReranker {
    endpoint: Endpoint,
    name: String,
    model: String,
    settings: RerankSettings,
}

impl OpenAiReranker {
    /// The model behind an endpoint; nothing is asked of it yet.
    ///
    /// # Errors
    /// `InvalidInput` if a setting is missing or malformed.
    pub fn new(endpoint: &EndpointSettings, mut settings: RerankSettings) -> Result<Self> {
        if settings.batch == 0 || settings.longest == 0 {
            return Err(endpoint.wrong("batch 和 longest 应大于零"));
        }
        settings.path = settings.path.trim_matches('/').to_owned();
        Ok(Self {
            endpoint: Endpoint::new(endpoint)?,
            name: endpoint.title().to_owned(),
            model: endpoint.model.clone(),
            settings,
        })
    }

    async fn batch(&self, query: &str, passages: &[String]) -> Result<Vec<f32>> {
        let cut = |text: &String| -> Value {
            let cut: String = text.chars().take(self.settings.longest).collect();
            // Many services refuse a text of nothing.
            if cut.trim().is_empty() { "。" } else { &cut }.into()
        };
        let mut body = Map::new();
        body.insert("model".into(), self.model.as_str().into());
        body.insert("query".into(), query.into());
        body.insert("documents".into(), passages.iter().map(cut).collect());
        body.insert("top_n".into(), passages.len().into());
        let reply = self.endpoint.json(&self.settings.path, body).await?;
        let garbled = |what: &str| self.endpoint.faults.garbled(what, &reply.to_string());
        let results = reply.get("results").and_then(Value::as_array);
        let results = results.ok_or_else(|| garbled("返回的 JSON 中没有 results"))?;
        if results.len() != passages.len() {
            return Err(garbled(&format!(
                "送去 {} 段文字，得到 {} 个分数",
                passages.len(),
                results.len()
            )));
        }
        let mut scores = vec![None; passages.len()];
        for result in results {
            let index = result.get("index").and_then(Value::as_u64);
            let index = index.and_then(|index| usize::try_from(index).ok());
            let slot = index.and_then(|index| scores.get_mut(index));
            let slot = slot.filter(|slot| slot.is_none());
            let slot = slot.ok_or_else(|| garbled("分数的序号不对"))?;
            let score = result
                .get("relevance_score")
                .or_else(|| result.get("score"));
            let score = score.and_then(Value::as_f64).map(|score| score as f32);
            let score = score.filter(|score| score.is_finite());
            *slot = Some(score.ok_or_else(|| garbled("有的分数不是数字"))?);
        }
        Ok(scores.into_iter().flatten().collect())
    }
}

#[async_trait]
impl Reranker for OpenAiReranker {
    fn card(&self) -> ModelCard {
        ModelCard {
            name: self.name.clone(),
            site: Site::Remote,
            context: self.settings.context,
        }
    }

    async fn rerank(&self, query: String, passages: Vec<String>) -> Result<Vec<f32>> {
        let mut scores = Vec::with_capacity(passages.len());
        for batch in passages.chunks(self.settings.batch) {
            scores.extend(self.batch(&query, batch).await?);
        }
        Ok(scores)
    }
}
