//! Seams: models that chat, embed and rerank, local or behind an endpoint.
//!
//! A model is never the source of a fact: what it says is checked by whoever asked it. Dropping a future or a stream
//! cancels the work behind it.

use std::{future::poll_fn, pin::Pin};

use async_trait::async_trait;
use futures_core::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, ErrorCode, Result};

/// Where a model runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// Inside this process.
    Local,
    /// Behind an endpoint.
    Remote,
}

/// What is known of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelCard {
    /// The name under which it is configured or catalogued.
    pub name: String,
    /// Where it runs.
    pub site: Site,
    /// How many tokens fit into a request and its reply together; `None` where it is not known.
    pub context: Option<usize>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions of the product.
    System,
    /// The person, or the material given in their name.
    User,
    /// The model.
    Assistant,
    /// What a tool returned.
    Tool,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What they say.
    pub content: String,
    /// The tools that the model wants called (role `assistant`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// Which call this answers (role `tool`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call: Option<String>,
}

impl Message {
    /// A message without tool calls.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            tool_calls: Vec::new(),
            tool_call: None,
        }
    }
}

/// A tool that the model may want called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// The JSON schema of its input.
    pub input: Value,
}

/// A call that the model wants made. Its arguments are data to be checked, as any input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolCall {
    /// Identifies the call in the conversation.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its input, as JSON.
    pub arguments: Value,
}

/// What a model is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatRequest {
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// Tools it may want called.
    pub tools: Vec<Tool>,
    /// The JSON schema that the whole reply must satisfy. A model that can't be held to it while it writes returns
    /// [`crate::ErrorCode::ModelReply`] where its reply doesn't.
    pub schema: Option<Value>,
    /// At most so many tokens of reply.
    pub max_tokens: usize,
    /// 0 for the likeliest reply.
    pub temperature: f32,
    /// Makes sampling repeatable where the model can.
    pub seed: Option<u64>,
    /// The reply ends before any of these.
    pub stop: Vec<String>,
}

impl ChatRequest {
    /// The likeliest reply to some messages, at most 512 tokens.
    pub fn new(messages: Vec<Message>) -> Self {
        Self {
            messages,
            tools: Vec::new(),
            schema: None,
            max_tokens: 512,
            temperature: 0.0,
            seed: None,
            stop: Vec::new(),
        }
    }
}

/// Counted tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Of the request.
    pub prompt: u64,
    /// Of the reply.
    pub completion: u64,
}

/// Why a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model was done.
    Stop,
    /// [`ChatRequest::max_tokens`] or the context was used up.
    Length,
    /// It wants tools called.
    ToolCalls,
}

/// A piece of a reply.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatEvent {
    /// Who replies; sent first by what chooses among several models, which a single model need not do.
    Model(ModelCard),
    /// More text.
    Text(String),
    /// A tool to be called, whole.
    ToolCall(ToolCall),
    /// The end; nothing follows. A stream that ends without it was cut off.
    Done {
        /// Why.
        finish: Finish,
        /// Tokens counted, where the model says.
        usage: Option<Usage>,
    },
}

/// A reply as it is written. Dropping it cancels the work.
pub type ChatStream = Pin<Box<dyn Stream<Item = Result<ChatEvent>> + Send>>;

/// A whole reply.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatReply {
    /// Who replied, where the stream says.
    pub model: Option<ModelCard>,
    /// Its text.
    pub text: String,
    /// Tools to be called.
    pub tool_calls: Vec<ToolCall>,
    /// Why it ended.
    pub finish: Finish,
    /// Tokens counted, where the model says.
    pub usage: Option<Usage>,
}

impl ChatReply {
    /// Waits for the whole of a reply.
    ///
    /// # Errors
    /// Whatever error the stream holds; `ModelReply` if it was cut off.
    pub async fn whole(mut stream: ChatStream) -> Result<Self> {
        let mut model = None;
        let mut text = String::new();
        let mut tool_calls = Vec::new();
        while let Some(event) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
            match event? {
                ChatEvent::Model(card) => model = Some(card),
                ChatEvent::Text(piece) => text += &piece,
                ChatEvent::ToolCall(call) => tool_calls.push(call),
                ChatEvent::Done { finish, usage } => {
                    return Ok(Self {
                        model,
                        text,
                        tool_calls,
                        finish,
                        usage,
                    });
                }
            }
        }
        Err(Error::new(
            ErrorCode::ModelReply,
            "模型的回复中途断开，没有写完。请重试。",
        ))
    }
}

/// A model that chats.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// What is known of it.
    fn card(&self) -> ModelCard;

    /// Begins a reply.
    ///
    /// # Errors
    /// `ModelUnavailable` (not reached, busy, over quota; `retry_after` where told), `ModelTimeout`, `ModelReply` (what came
    /// is not what the protocol or the schema says), `InvalidInput` (does not fit into its context).
    async fn chat(&self, request: ChatRequest) -> Result<ChatStream>;
}

/// What a text is embedded as: many embedders keep questions and passages apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbedAs {
    /// A question or search words.
    Query,
    /// A passage to be found.
    Passage,
}

/// A model that turns texts into vectors of length 1 whose inner product tells how near their meanings are.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// What is known of it.
    fn card(&self) -> ModelCard;

    /// Changes whenever its vectors do: vectors of different versions are not comparable.
    fn version(&self) -> String;

    /// The vectors' length.
    fn dimensions(&self) -> usize;

    /// A vector per text, in order. A text longer than the model's window is cut.
    ///
    /// # Errors
    /// As [`ChatModel::chat`].
    async fn embed(&self, texts: Vec<String>, kind: EmbedAs) -> Result<Vec<Vec<f32>>>;
}

/// A model that judges how well passages answer a question.
#[async_trait]
pub trait Reranker: Send + Sync {
    /// What is known of it.
    fn card(&self) -> ModelCard;

    /// A score per passage, in order; comparable within one call only, higher is better.
    ///
    /// # Errors
    /// As [`ChatModel::chat`].
    async fn rerank(&self, query: String, passages: Vec<String>) -> Result<Vec<f32>>;
}
