//! Models that need no weights: a chat that follows a script, an embedder and a reranker that count character pairs.

use std::{
    collections::{HashSet, VecDeque},
    pin::Pin,
    task::{Context, Poll},
};

use async_trait::async_trait;
use futures_core::Stream;
use parking_lot::Mutex;

use crate::{
    Error, ErrorCode, Result,
    models::{
        ChatEvent, ChatModel, ChatRequest, ChatStream, EmbedAs, Embedder, Finish, ModelCard,
        Reranker, Site, ToolCall, Usage,
    },
};

/// What a [`ScriptedChat`] does with one request.
#[derive(Clone, Debug)]
pub enum Script {
    /// Replies with these pieces of text.
    Say(Vec<String>),
    /// Wants these tools called.
    Call(Vec<ToolCall>),
    /// Refuses before it says anything.
    Fail(Error),
    /// Says these pieces, then fails.
    FailAfter(Vec<String>, Error),
    /// Says these pieces, then the stream ends without [`ChatEvent::Done`].
    CutOff(Vec<String>),
    /// Says these pieces, then nothing more and never ends.
    Hang(Vec<String>),
}

impl Script {
    /// Replies with one text.
    pub fn say(text: impl Into<String>) -> Self {
        Self::Say(vec![text.into()])
    }

    /// Refuses with an error of that kind.
    pub fn fail(code: ErrorCode) -> Self {
        Self::Fail(Error::new(code, code.title()))
    }
}

type Reply = Box<dyn Fn(&ChatRequest) -> Script + Send + Sync>;

/// A chat model that follows a script, and remembers what it was asked.
pub struct ScriptedChat {
    card: ModelCard,
    script: Mutex<VecDeque<Script>>,
    otherwise: Reply,
    asked: Mutex<Vec<ChatRequest>>,
}

impl ScriptedChat {
    /// Does these in turn, a step per request; after the last it's unavailable.
    pub fn new(steps: impl IntoIterator<Item = Script>) -> Self {
        let mut chat = Self::replying(|_| Script::fail(ErrorCode::ModelUnavailable));
        chat.script = Mutex::new(steps.into_iter().collect());
        chat
    }

    /// Does what this makes of the request.
    pub fn replying(reply: impl Fn(&ChatRequest) -> Script + Send + Sync + 'static) -> Self {
        Self {
            card: ModelCard {
                name: "scripted".into(),
                site: Site::Local,
                context: None,
            },
            script: Mutex::default(),
            otherwise: Box::new(reply),
            asked: Mutex::default(),
        }
    }

    /// The same under another name and elsewhere.
    #[must_use]
    pub fn named(mut self, name: &str, site: Site) -> Self {
        self.card.name = name.into();
        self.card.site = site;
        self
    }

    /// More steps at the end of the script.
    pub fn push(&self, steps: impl IntoIterator<Item = Script>) {
        self.script.lock().extend(steps);
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<ChatRequest> {
        self.asked.lock().clone()
    }
}

/// Gives out its events; `hangs` decides what comes after the last.
struct Events {
    left: VecDeque<Result<ChatEvent>>,
    hangs: bool,
}

impl Stream for Events {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.left.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if self.hangs => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

/// Counted in characters, for want of tokens.
fn length(text: &str) -> u64 {
    text.chars().count() as u64
}

/// The text as far as the request lets it go on, as any model must see to.
fn within(request: &ChatRequest, pieces: Vec<String>) -> (Vec<String>, Finish) {
    let mut said = String::new();
    let mut kept = Vec::new();
    for piece in pieces {
        let before = said.len();
        said += &piece;
        let stopped = request.stop.iter().filter_map(|stop| said.find(stop)).min();
        let longest = said
            .char_indices()
            .nth(request.max_tokens)
            .map(|(at, _)| at);
        let (end, finish) = match (stopped, longest) {
            (Some(stop), Some(longest)) if longest < stop => (longest, Finish::Length),
            (Some(stop), _) => (stop, Finish::Stop),
            (None, Some(longest)) => (longest, Finish::Length),
            (None, None) => {
                kept.push(piece);
                continue;
            }
        };
        if end > before {
            kept.push(said[before..end].to_owned());
        }
        return (kept, finish);
    }
    (kept, Finish::Stop)
}

fn texts(pieces: Vec<String>) -> VecDeque<Result<ChatEvent>> {
    let said = pieces.into_iter().filter(|piece| !piece.is_empty());
    said.map(|piece| Ok(ChatEvent::Text(piece))).collect()
}

#[async_trait]
impl ChatModel for ScriptedChat {
    fn card(&self) -> ModelCard {
        self.card.clone()
    }

    async fn chat(&self, request: ChatRequest) -> Result<ChatStream> {
        let step = self.script.lock().pop_front();
        let step = step.unwrap_or_else(|| (self.otherwise)(&request));
        self.asked.lock().push(request.clone());
        let mut hangs = false;
        let left = match step {
            Script::Fail(error) => return Err(error),
            Script::Say(pieces) => {
                let (pieces, finish) = within(&request, pieces);
                let prompt = request.messages.iter().map(|m| length(&m.content)).sum();
                let completion = pieces.iter().map(|p| length(p)).sum();
                let usage = Some(Usage { prompt, completion });
                let mut left = texts(pieces);
                left.push_back(Ok(ChatEvent::Done { finish, usage }));
                left
            }
            Script::Call(calls) => {
                let done = ChatEvent::Done {
                    finish: Finish::ToolCalls,
                    usage: None,
                };
                let calls = calls.into_iter().map(ChatEvent::ToolCall);
                calls.chain([done]).map(Ok).collect()
            }
            Script::FailAfter(pieces, error) => {
                let mut left = texts(pieces);
                left.push_back(Err(error));
                left
            }
            Script::CutOff(pieces) => texts(pieces),
            Script::Hang(pieces) => {
                hangs = true;
                texts(pieces)
            }
        };
        Ok(Box::pin(Events { left, hangs }))
    }
}

/// The single characters and pairs of a text that are letters or digits.
fn pieces(text: &str) -> Vec<String> {
    let letters: Vec<char> = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let pairs = letters.windows(2).map(|pair| pair.iter().collect());
    let singles = letters.iter().map(char::to_string);
    singles.chain(pairs).collect()
}

/// FNV-1a (Fowler, Noll, Vo), the same on every machine and in every version.
fn hash(piece: &str) -> u64 {
    piece.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// An embedder that counts hashed characters and pairs: texts that share words are near, deterministic and at once.
#[derive(Clone, Debug)]
pub struct HashEmbedder(usize);

impl HashEmbedder {
    /// With vectors of that length, at least 1.
    pub fn new(dimensions: usize) -> Self {
        Self(dimensions.max(1))
    }

    /// The vector of one text; a text without letters has its length in the first place.
    pub fn vector(&self, text: &str) -> Vec<f32> {
        let mut vector = vec![0.0_f32; self.0];
        for piece in pieces(text) {
            let hash = hash(&piece);
            let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
            vector[(hash % self.0 as u64) as usize] += sign;
        }
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        if norm == 0.0 {
            vector[0] = 1.0;
        } else {
            vector.iter_mut().for_each(|x| *x /= norm);
        }
        vector
    }
}

#[async_trait]
impl Embedder for HashEmbedder {
    fn card(&self) -> ModelCard {
        ModelCard {
            name: "hash".into(),
            site: Site::Local,
            context: None,
        }
    }

    fn version(&self) -> String {
        format!("hash-{}", self.0)
    }

    fn dimensions(&self) -> usize {
        self.0
    }

    async fn embed(&self, texts: Vec<String>, _: EmbedAs) -> Result<Vec<Vec<f32>>> {
        Ok(texts.iter().map(|text| self.vector(text)).collect())
    }
}

/// A reranker that tells which share of the question's characters and pairs a passage has.
#[derive(Clone, Copy, Debug, Default)]
pub struct OverlapReranker;

impl OverlapReranker {
    /// The score of one passage, from 0 to 1.
    pub fn score(query: &str, passage: &str) -> f32 {
        let wanted = pieces(query);
        let there: HashSet<String> = pieces(passage).into_iter().collect();
        let found = wanted.iter().filter(|piece| there.contains(*piece)).count();
        found as f32 / wanted.len().max(1) as f32
    }
}

#[async_trait]
impl Reranker for OverlapReranker {
    fn card(&self) -> ModelCard {
        ModelCard {
            name: "overlap".into(),
            site: Site::Local,
            context: None,
        }
    }

    async fn rerank(&self, query: String, passages: Vec<String>) -> Result<Vec<f32>> {
        let scores = passages.iter().map(|passage| Self::score(&query, passage));
        Ok(scores.collect())
    }
}
