//! Vectors from an OpenAI-compatible endpoint.

use async_trait::async_trait;
use kernel::{
    Result,
    id::content_hash,
    models::{EmbedAs, Embedder, ModelCard, Site},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::endpoint::{Endpoint, EndpointSettings};

/// How an endpoint's embedding model wants its texts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddingSettings {
    /// The vectors' length. 0 is not allowed: it must be known before anything is asked.
    pub dimensions: usize,
    /// It's told the length, and may shorten its vectors to it (`dimensions` in the request).
    pub send_dimensions: bool,
    /// Before every question, e.g. `query: `.
    pub query_prefix: String,
    /// Before every passage, e.g. `passage: `.
    pub passage_prefix: String,
    /// How many texts go into one request.
    pub batch: usize,
    /// Longer texts are cut to so many characters.
    pub longest: usize,
    /// How many tokens fit, where known; for people to read.
    pub context: Option<usize>,
}

impl Default for EmbeddingSettings {
    fn default() -> Self {
        Self {
            dimensions: 0,
            send_dimensions: false,
            query_prefix: String::new(),
            passage_prefix: String::new(),
            // The least that the usual services take.
            batch: 10,
            longest: 2_000,
            context: None,
        }
    }
}

/// An embedding model behind an OpenAI-compatible endpoint: `POST {base_url}/embeddings`.
#[derive(Debug)]
pub struct OpenAiEmbedder {
    endpoint: Endpoint,
    name: String,
    model: String,
    settings: EmbeddingSettings,
    version: String,
}

impl OpenAiEmbedder {
    /// The model behind an endpoint; nothing is asked of it yet.
    ///
    /// # Errors
    /// `InvalidInput` if a setting is missing or malformed.
    pub fn new(endpoint: &EndpointSettings, settings: EmbeddingSettings) -> Result<Self> {
        for (key, value) in [
            ("dimensions", settings.dimensions),
            ("batch", settings.batch),
            ("longest", settings.longest),
        ] {
            if value == 0 {
                return Err(
                    endpoint.wrong(format!("{key} 应大于零；dimensions 是该模型向量的长度"))
                );
            }
        }
        let identity = json!([
            endpoint.base_url.trim().trim_end_matches('/'),
            endpoint.model,
            settings.dimensions,
            settings.query_prefix,
            settings.passage_prefix,
            settings.longest,
            endpoint.body,
        ]);
        let hash = content_hash(identity.to_string().as_bytes());
        Ok(Self {
            endpoint: Endpoint::new(endpoint)?,
            name: endpoint.title().to_owned(),
            model: endpoint.model.clone(),
            version: format!("{}-{}-{}", endpoint.model, settings.dimensions, &hash[..12]),
            settings,
        })
    }

    fn text(&self, text: &str, kind: EmbedAs) -> String {
        let prefix = match kind {
            EmbedAs::Query => &self.settings.query_prefix,
            EmbedAs::Passage => &self.settings.passage_prefix,
        };
        let cut: String = text.chars().take(self.settings.longest).collect();
        // Many services refuse a text of nothing.
        let text = if cut.trim().is_empty() { "。" } else { &cut };
        format!("{prefix}{text}")
    }

    async fn batch(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let count = texts.len();
        let mut body = Map::new();
        body.insert("model".into(), self.model.as_str().into());
        body.insert("input".into(), texts.into());
        body.insert("encoding_format".into(), "float".into());
        if self.settings.send_dimensions {
            body.insert("dimensions".into(), self.settings.dimensions.into());
        }
        let reply = self.endpoint.json("embeddings", body).await?;
        let garbled = |what: &str| self.endpoint.faults.garbled(what, &reply.to_string());
        let data = reply.get("data").and_then(Value::as_array);
        let data = data.ok_or_else(|| garbled("返回的 JSON 中没有 data"))?;
        if data.len() != count {
            return Err(garbled(&format!(
                "送去 {count} 段文字，得到 {} 个向量",
                data.len()
            )));
        }
        let mut vectors = vec![None; count];
        for (at, item) in data.iter().enumerate() {
            let index = match item.get("index") {
                None => Some(at),
                Some(index) => index.as_u64().and_then(|index| usize::try_from(index).ok()),
            };
            let slot = index.and_then(|index| vectors.get_mut(index));
            let slot = slot.filter(|slot| slot.is_none());
            let slot = slot.ok_or_else(|| garbled("向量的序号不对"))?;
            let numbers = item.get("embedding").and_then(Value::as_array);
            let numbers = numbers.ok_or_else(|| garbled("返回的 JSON 中没有 embedding"))?;
            if numbers.len() != self.settings.dimensions {
                return Err(garbled(&format!(
                    "向量长度为 {}，而配置的 dimensions 为 {}",
                    numbers.len(),
                    self.settings.dimensions
                )));
            }
            *slot = Some(unit(numbers).ok_or_else(|| garbled("向量中有不是数字的项，或全为零"))?);
        }
        // Each has its own place, and there are as many as places.
        Ok(vectors.into_iter().flatten().collect())
    }
}

/// The vector of length 1 in the same direction; `None` where there is none.
fn unit(numbers: &[Value]) -> Option<Vec<f32>> {
    let numbers: Option<Vec<f64>> = numbers.iter().map(Value::as_f64).collect();
    let numbers = numbers?;
    let norm = numbers.iter().map(|x| x * x).sum::<f64>().sqrt();
    if !norm.is_finite() || norm < 1e-12 {
        return None;
    }
    Some(numbers.iter().map(|x| (x / norm) as f32).collect())
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn card(&self) -> ModelCard {
        ModelCard {
            name: self.name.clone(),
            site: Site::Remote,
            context: self.settings.context,
        }
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn dimensions(&self) -> usize {
        self.settings.dimensions
    }

    async fn embed(&self, texts: Vec<String>, kind: EmbedAs) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(self.settings.batch) {
            let batch = batch.iter().map(|text| self.text(text, kind)).collect();
            vectors.extend(self.batch(batch).await?);
        }
        Ok(vectors)
    }
}
