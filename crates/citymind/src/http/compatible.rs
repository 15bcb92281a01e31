//! `/v1`: what clients of the OpenAI interface expect, so that chat programs which exist work unchanged. The model `service` is
//! 智答 with its evidence, guided dialogues included.
//!
//! Such a client sends the whole conversation each time and no session. The messages before the last one, of which we made every
//! other, tell which conversation goes on: we remember it under a digest of them.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
};

use axum::{
    Json,
    body::Bytes,
    extract::{State as Shared, rejection::BytesRejection},
    http::{StatusCode, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event as SseEvent, KeepAlive},
    },
};
use kernel::{Error, ErrorCode, Result, capability::Context, id::fresh, models::EmbedAs};
use parking_lot::Mutex;
use platform::answer::{Answer, AnswerStatus, AskInput};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::{State, door::object, doors, error, request::Who};

/// The model that is 智答.
const SERVICE: &str = "service";

/// How many conversations of such clients are remembered; an older one begins anew.
const REMEMBERED: usize = 10_000;

/// The most texts embedded in one call.
const TEXTS: usize = 256;

/// A conversation to go on with.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ChatInput {
    /// `service`.
    model: String,
    /// The conversation so far; the last message is the question. What `system` says is not followed: 智答 answers from the
    /// city's documents.
    #[schemars(length(min = 1, max = 400))]
    messages: Vec<ChatMessage>,
    /// As server-sent events.
    #[serde(default)]
    stream: bool,
}

/// A message.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ChatMessage {
    /// `system`, `user` or `assistant`.
    role: String,
    /// A text, or parts of which the texts count.
    content: Value,
}

/// Texts to embed.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct EmbeddingsInput {
    /// The embedder in use; its name, or empty.
    #[serde(default)]
    model: String,
    /// A text or several.
    input: Value,
}

/// Which conversation follows which messages. Whoever sends the messages knows all that was said, and conversations of the same
/// messages are in the same state, so any of them will do; each is gone on with once.
#[derive(Default)]
pub(crate) struct Conversations(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    begun: HashMap<[u8; 32], Vec<Begun>>,
    order: VecDeque<[u8; 32]>,
}

/// A conversation, with the visitor that it belongs to if nobody signed in.
struct Begun {
    session: String,
    visitor: String,
}

impl Conversations {
    fn take(&self, key: &[u8; 32]) -> Option<Begun> {
        self.0.lock().begun.get_mut(key)?.pop()
    }

    fn keep(&self, key: [u8; 32], begun: Begun) {
        let mut held = self.0.lock();
        held.begun.entry(key).or_default().push(begun);
        held.order.push_back(key);
        while held.order.len() > REMEMBERED {
            let Some(oldest) = held.order.pop_front() else {
                break;
            };
            if let Some(conversations) = held.begun.get_mut(&oldest) {
                if !conversations.is_empty() {
                    conversations.remove(0);
                }
                if conversations.is_empty() {
                    held.begun.remove(&oldest);
                }
            }
        }
    }
}

impl ChatMessage {
    fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let texts = parts.iter().filter_map(|p| p["text"].as_str());
                texts.collect::<Vec<_>>().join("\n")
            }
            _ => String::new(),
        }
    }
}

fn digest(owner: &str, messages: &[(String, String)]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(owner);
    for (role, text) in messages {
        for part in [role, text] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().into()
}

/// An error as those clients read it.
fn refused(who: &Who, error: Error) -> Response {
    let error = who.explain(error);
    let status = error::status(error.code);
    let kind = match status {
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        s if s.is_server_error() => "server_error",
        _ => "invalid_request_error",
    };
    let body = json!({"error": {"message": error.message, "type": kind, "code": error.code.as_str(), "param": null}});
    (status, Json(body)).into_response()
}

/// The answer with its sources, as text.
fn told(answer: &Answer) -> String {
    let mut text = answer.answer.clone();
    for notice in &answer.notices {
        text.push_str(&format!("\n\n提示：{notice}"));
    }
    if let Some(ask) = answer.guide.as_ref().and_then(|g| g.ask.as_ref())
        && answer.status == AnswerStatus::Guide
        && !ask.choices.is_empty()
    {
        let labels: Vec<_> = ask
            .choices
            .iter()
            .map(|c| format!("- {}", c.label))
            .collect();
        text.push_str(&format!("\n\n{}", labels.join("\n")));
    }
    if answer.status == AnswerStatus::Answered {
        for citation in &answer.citations {
            text.push_str(&format!(
                "\n\n[{}] 《{}》{}",
                citation.n, citation.title, citation.path
            ));
        }
    }
    for channel in &answer.channels {
        text.push_str(&format!(
            "\n\n{}：{}（{}）",
            channel.name, channel.contact, channel.note
        ));
    }
    if let Some(offer) = &answer.offer {
        text.push_str(&format!(
            "\n\n{}（{}）",
            offer.question,
            offer.choices.join("／")
        ));
    }
    text
}

/// `POST /v1/chat/completions`.
#[expect(
    clippy::too_many_lines,
    reason = "the reply whole or streamed, of one reading"
)]
pub(super) async fn chat(
    Shared(state): Shared<State>,
    who: Who,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let context = who.context();
    let catalogue = &state.app.catalogue;
    let read = catalogue.enter(&doors::V1_CHAT, &context, String::new(), async {
        kernel::capability::read_input::<ChatInput>(Value::Object(object(body)?))
    });
    let input = match read.await {
        Ok(input) => input,
        Err(error) => return refused(&who, error),
    };
    let name = input.model.as_str();
    if name != SERVICE {
        let error = Error::new(
            ErrorCode::NotFound,
            format!("没有“{name}”这个模型。可以用的模型见 /v1/models。"),
        );
        return refused(&who, error);
    }
    let said: Vec<(String, String)> = input
        .messages
        .iter()
        .filter(|m| m.role == "user" || m.role == "assistant")
        .map(|m| (m.role.clone(), m.text()))
        .collect();
    let Some((last, before)) = said.split_last().filter(|(last, _)| last.0 == "user") else {
        let error = Error::new(ErrorCode::InvalidInput, "最后一条消息应当是 user 说的话。");
        return refused(&who, error);
    };
    let account = context.caller.account.as_ref();
    let owner = account.map(|a| a.id.clone()).unwrap_or_default();
    let known = if before.is_empty() {
        None
    } else {
        state.conversations.take(&digest(&owner, before))
    };
    let mut context = context;
    if let (Some(begun), true) = (&known, owner.is_empty()) {
        context.caller.visitor.clone_from(&begun.visitor);
    }
    let session = known.map(|begun| begun.session);
    let ask = AskInput {
        question: last.1.clone(),
        session,
        ..AskInput::default()
    };
    let id = format!("chatcmpl-{}", fresh());
    let created = jiff::Timestamp::now().as_second();
    if !input.stream {
        return match answer(&state, &context, &ask, &owner, &said).await {
            Ok((answer, text)) => Json(json!({
                "id": id, "object": "chat.completion", "created": created, "model": SERVICE,
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
                "citymind": {"session": answer.session, "trace": answer.trace, "status": answer.status, "citations": answer.citations, "guide": answer.guide},
            }))
            .into_response(),
            Err(error) => refused(&who, error),
        };
    }
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let chunk = move |delta: Value, end: Option<&str>| {
            let chunk = json!({"id": id, "object": "chat.completion.chunk", "created": created, "model": SERVICE,
                "choices": [{"index": 0, "delta": delta, "finish_reason": end}]});
            SseEvent::default().data(chunk.to_string())
        };
        // Whoever has gone away gets nothing more.
        let _ = sender.send(chunk(json!({"role": "assistant", "content": ""}), None));
        let (piece, pieces) = (chunk.clone(), sender.clone());
        let streamed = std::sync::Arc::new(Mutex::new(String::new()));
        let seen = streamed.clone();
        let context = context.following(move |event| {
            if event.name != "segment" {
                return !pieces.is_closed();
            }
            let text = event.data["text"].as_str().unwrap_or_default();
            let mut seen = seen.lock();
            let text = if seen.is_empty() {
                text.to_owned()
            } else {
                format!("\n{text}")
            };
            seen.push_str(&text);
            pieces.send(piece(json!({"content": text}), None)).is_ok()
        });
        let last = match answer(&state, &context, &ask, &owner, &said).await {
            Ok((_, text)) => {
                // What follows the sentences: sources, channels, choices.
                let seen = streamed.lock().clone();
                let rest = text
                    .strip_prefix(seen.as_str())
                    .map_or(text.clone(), str::to_owned);
                if !rest.is_empty() {
                    let _ = sender.send(chunk(json!({"content": rest}), None));
                }
                chunk(json!({}), Some("stop"))
            }
            Err(error) => {
                let body = json!({"error": {"message": error.message, "type": "server_error", "code": error.code.as_str()}});
                SseEvent::default().data(body.to_string())
            }
        };
        let _ = sender.send(last);
        let _ = sender.send(SseEvent::default().data("[DONE]"));
    });
    let events =
        futures_util::StreamExt::map(UnboundedReceiverStream::new(receiver), Ok::<_, Infallible>);
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    response
}

async fn answer(
    state: &State,
    context: &Context,
    ask: &AskInput,
    owner: &str,
    said: &[(String, String)],
) -> Result<(Answer, String)> {
    let answer = state.app.assistant.ask(context, ask.clone()).await?;
    let text = told(&answer);
    let mut said = said.to_vec();
    said.push(("assistant".to_owned(), text.clone()));
    let begun = Begun {
        session: answer.session.clone(),
        visitor: context.caller.visitor.clone(),
    };
    state.conversations.keep(digest(owner, &said), begun);
    Ok((answer, text))
}

/// A model in the list.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ModelEntry {
    id: String,
    object: &'static str,
    created: i64,
    owned_by: &'static str,
}

/// `GET /v1/models`.
pub(super) async fn models(Shared(state): Shared<State>, who: Who) -> Response {
    let context = who.context();
    let listed = state
        .app
        .catalogue
        .enter(&doors::V1_MODELS, &context, String::new(), async {
            let entry = |id: String| ModelEntry {
                id,
                object: "model",
                created: 0,
                owned_by: "citymind",
            };
            let embedder = state.app.models.embedder_in_use().map(|e| e.card().name);
            let mut models = vec![entry(SERVICE.to_owned())];
            models.extend(embedder.map(entry));
            Ok(models)
        });
    match listed.await {
        Ok(models) => Json(json!({"object": "list", "data": models})).into_response(),
        Err(error) => refused(&who, error),
    }
}

/// `POST /v1/embeddings`.
pub(super) async fn embeddings(
    Shared(state): Shared<State>,
    who: Who,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let context = who.context();
    let made = state.app.catalogue.enter(&doors::V1_EMBEDDINGS, &context, String::new(), async {
        let input: EmbeddingsInput = kernel::capability::read_input(Value::Object(object(body)?))?;
        let texts: Vec<String> = match input.input {
            Value::String(text) => vec![text],
            Value::Array(texts) => texts.into_iter().filter_map(|t| t.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        if texts.is_empty() || texts.len() > TEXTS || texts.iter().any(|t| t.trim().is_empty()) {
            return Err(Error::new(ErrorCode::InvalidInput, format!("input 应当是1到{TEXTS}段文字，都不能空着。")));
        }
        let embedder = state.app.models.embedder_in_use().ok_or_else(|| {
            Error::new(ErrorCode::ModelUnavailable, "没有启用向量模型。请管理员在“模型”页启用一个。")
        })?;
        let card = embedder.card();
        if !input.model.is_empty() && input.model != card.name {
            return Err(Error::new(ErrorCode::NotFound, format!("没有“{}”这个向量模型，现在用的是“{}”。", input.model, card.name)));
        }
        let vectors = embedder.embed(texts, EmbedAs::Passage).await?;
        let data: Vec<_> = vectors
            .into_iter()
            .enumerate()
            .map(|(index, embedding)| json!({"object": "embedding", "index": index, "embedding": embedding}))
            .collect();
        Ok(json!({"object": "list", "data": data, "model": card.name, "usage": {"prompt_tokens": 0, "total_tokens": 0}}))
    });
    match made.await {
        Ok(body) => Json(body).into_response(),
        Err(error) => refused(&who, error),
    }
}
