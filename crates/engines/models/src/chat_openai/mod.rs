//! Chat behind an OpenAI-compatible endpoint.

mod reading;
mod wire;

use async_trait::async_trait;
use futures_util::stream;
use kernel::{
    Result,
    models::{ChatModel, ChatRequest, ChatStream, ModelCard, Site},
};
use serde::Deserialize;

use crate::{
    endpoint::{Endpoint, EndpointSettings},
    schema::Schema,
};
use reading::{Reading, Reply};

/// What a chat model behind an endpoint can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChatAbilities {
    /// It takes `response_format` with `json_schema`. Otherwise the schema is put into the prompt; the reply is checked
    /// either way.
    pub json_schema: bool,
    /// It takes `tools`.
    pub tools: bool,
    /// It takes `stream_options` with `include_usage`.
    pub usage: bool,
    /// How many tokens fit into a request and its reply together, where known.
    pub context: Option<usize>,
}

impl Default for ChatAbilities {
    fn default() -> Self {
        Self {
            json_schema: false,
            tools: true,
            usage: true,
            context: None,
        }
    }
}

/// A chat model behind an OpenAI-compatible endpoint: `POST {base_url}/chat/completions`, streamed.
///
/// A reply to a schema is given out whole, once it has been checked. Thinking aloud (`reasoning_content`, or
/// `<think>…</think>` before the reply) is left out. Tokens are counted by the endpoint, if it does.
#[derive(Debug)]
pub struct OpenAiChat {
    endpoint: Endpoint,
    name: String,
    model: String,
    abilities: ChatAbilities,
}

impl OpenAiChat {
    /// The model behind an endpoint; nothing is asked of it yet.
    ///
    /// # Errors
    /// `InvalidInput` if a setting is missing or malformed.
    pub fn new(settings: &EndpointSettings, abilities: ChatAbilities) -> Result<Self> {
        Ok(Self {
            endpoint: Endpoint::new(settings)?,
            name: settings.title().to_owned(),
            model: settings.model.clone(),
            abilities,
        })
    }
}

#[async_trait]
impl ChatModel for OpenAiChat {
    fn card(&self) -> ModelCard {
        ModelCard {
            name: self.name.clone(),
            site: Site::Remote,
            context: self.abilities.context,
        }
    }

    async fn chat(&self, request: ChatRequest) -> Result<ChatStream> {
        if !request.tools.is_empty() && !self.abilities.tools {
            return Err(self.endpoint.faults.unable("调用工具"));
        }
        let schema = request.schema.as_ref().map(Schema::new).transpose()?;
        let body = wire::body(&self.model, &request, self.abilities);
        let answer = self.endpoint.post("chat/completions", body).await?;
        let reply = Reply::new(answer.faults.clone(), &request.stop, schema);
        let reading = Reading::new(answer, reply)?;
        Ok(Box::pin(stream::unfold(reading, Reading::next)))
    }
}
