//! Several chat models, the best first: whichever can reply first in that order does.

mod breaker;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use kernel::{
    Error, ErrorCode, Result,
    models::{ChatEvent, ChatModel, ChatRequest, ChatStream, ModelCard, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::endpoint::seconds;
use breaker::{Breaker, Trial};

/// Time that only goes on, since any moment.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The time of this machine, since now.
pub fn system_clock() -> Clock {
    let start = std::time::Instant::now();
    Arc::new(move || start.elapsed())
}

/// How long a rung is waited for, and when it is left alone; in the configuration in seconds, fractions allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patience {
    /// To the first text of a reply.
    #[serde(deserialize_with = "seconds")]
    pub first_text: Duration,
    /// To the whole of a reply that comes in one piece: to a schema, or with tool calls.
    #[serde(deserialize_with = "seconds")]
    pub whole: Duration,
    /// After so many failures in a row it's left alone; after one in which nothing came in time, at once.
    pub failures: u32,
    /// For how long it's left alone, unless it says itself. A local one that is only busy is not left alone.
    #[serde(deserialize_with = "seconds")]
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_text: Duration::from_secs(20),
            whole: Duration::from_mins(1),
            failures: 3,
            pause: Duration::from_secs(30),
        }
    }
}

/// Whether a rung is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It is.
    Open,
    /// It failed, and is left alone for a while.
    Resting,
    /// The while is over: the next request tries it, or one is trying it now.
    OnTrial,
}

/// What has become of a rung, for people to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RungState {
    /// The model.
    pub model: ModelCard,
    /// Whether it's asked.
    pub health: Health,
    /// For so many seconds more it's left alone.
    pub rests_for: Option<u64>,
    /// How long the last reply took to its first text, in milliseconds.
    pub first_text_ms: Option<u64>,
    /// Requests that it was given.
    pub asked: u64,
    /// Replies that came to their end.
    pub answered: u64,
    /// Requests and replies that failed.
    pub failed: u64,
    /// Why the last one failed, in Chinese.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<String>,
}

struct Rung {
    model: Arc<dyn ChatModel>,
    patience: Patience,
    breaker: Arc<Breaker>,
}

/// Chat models in the order in which they are preferred, e.g. a remote one before a local one.
///
/// The first that is not resting is asked. If it's unavailable, late or replies with rubbish before its first text, the
/// next is asked; a request that is wrong in itself is not taken to the next. A failure after the first text is an error in
/// the stream. A reply's first event is [`ChatEvent::Model`]. A rung that fails is left alone for a while
/// ([`Patience`]), then tried with a single request: so a dead endpoint costs one wait, once (M. Nygard, "Release It!",
/// circuit breaker).
pub struct Ladder {
    rungs: Vec<Rung>,
}

impl Ladder {
    /// The models, the best first.
    pub fn new(rungs: Vec<(Arc<dyn ChatModel>, Patience)>) -> Self {
        Self::with_clock(rungs, system_clock())
    }

    /// The same by another clock.
    pub fn with_clock(rungs: Vec<(Arc<dyn ChatModel>, Patience)>, clock: Clock) -> Self {
        let rungs = rungs.into_iter().map(|(model, patience)| {
            let local = model.card().site == Site::Local;
            Rung {
                model,
                patience,
                breaker: Arc::new(Breaker::new(patience, clock.clone(), local)),
            }
        });
        Self {
            rungs: rungs.collect(),
        }
    }

    /// What has become of each rung, the best first.
    pub fn state(&self) -> Vec<RungState> {
        let rungs = self.rungs.iter();
        rungs
            .map(|rung| rung.breaker.state(rung.model.card()))
            .collect()
    }
}

#[async_trait]
impl ChatModel for Ladder {
    /// Of the model that would be asked now.
    fn card(&self) -> ModelCard {
        let rung = self.rungs.iter().find(|rung| rung.breaker.is_open());
        match rung.or_else(|| self.rungs.first()) {
            Some(rung) => rung.model.card(),
            None => ModelCard {
                name: "none".into(),
                site: Site::Local,
                context: None,
            },
        }
    }

    async fn chat(&self, request: ChatRequest) -> Result<ChatStream> {
        let mut failures = Vec::new();
        let mut soonest: Option<u64> = None;
        let mut least = |seconds: u64| soonest = Some(soonest.map_or(seconds, |s| s.min(seconds)));
        for rung in &self.rungs {
            let trial = match rung.breaker.enter() {
                Ok(trial) => trial,
                Err(seconds) => {
                    least(seconds);
                    continue;
                }
            };
            match rung.begin(request.clone(), trial).await {
                Ok(stream) => return Ok(stream),
                Err(error) if !falls(error.code) => return Err(error),
                Err(error) => {
                    if let Some(seconds) = error.retry_after {
                        least(seconds);
                    }
                    failures.push(error);
                }
            }
        }
        Err(none_left(failures, soonest))
    }
}

/// Whether the next rung may do better.
fn falls(code: ErrorCode) -> bool {
    use ErrorCode::{ModelReply, ModelTimeout, ModelUnavailable};
    matches!(code, ModelUnavailable | ModelTimeout | ModelReply)
}

fn none_left(mut failures: Vec<Error>, soonest: Option<u64>) -> Error {
    let mut error = match failures.as_slice() {
        [] => Error::new(
            ErrorCode::ModelUnavailable,
            "目前没有可用的模型。请稍后再试，或请管理员查看“模型”页。",
        ),
        [_] => failures.remove(0),
        all => {
            let details = all.iter().map(|e| {
                let detail = e.detail.as_deref().unwrap_or_default();
                format!("{}: {} {detail}", e.code.as_str(), e.message)
            });
            let details: Vec<String> = details.collect();
            Error::new(
                ErrorCode::ModelUnavailable,
                "各级模型都没有回复。请稍后再试，或请管理员查看“模型”页。",
            )
            .with_detail(details.join("; "))
        }
    };
    error.retry_after = error.retry_after.or(soonest);
    error
}

impl Rung {
    /// Begins a reply and waits for the first piece of it.
    async fn begin(&self, request: ChatRequest, trial: Trial) -> Result<ChatStream> {
        let begun = Instant::now();
        let in_one_piece = request.schema.is_some() || !request.tools.is_empty();
        let within = if in_one_piece {
            self.patience.whole
        } else {
            self.patience.first_text
        };
        let first = timeout_at(begun + within, first(&*self.model, request)).await;
        let result = first.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorCode::ModelTimeout,
                format!(
                    "模型“{}”开始回复超过 {} 秒的时限。请稍后再试。",
                    self.model.card().name,
                    within.as_secs()
                ),
            ))
        });
        let (card, event, stream) = match result {
            Ok(first) => first,
            Err(error) => {
                if falls(error.code) {
                    trial.failed(&error);
                }
                return Err(error);
            }
        };
        trial.spoke(begun.elapsed());
        let card = card.unwrap_or_else(|| self.model.card());
        let reply = Replying {
            name: card.name.clone(),
            stream,
            trial: Some(trial),
        };
        let opening = stream::iter([Ok(ChatEvent::Model(card))]);
        let rest = stream::unfold((Some(event), reply), |(event, mut reply)| async move {
            let event = match event {
                Some(event) => reply.pass(Some(Ok(event))),
                None => reply.next().await,
            };
            event.map(|event| (event, (None, reply)))
        });
        Ok(Box::pin(opening.chain(rest)))
    }
}

/// The first piece of a reply, who says it if that is told, and the rest.
async fn first(
    model: &dyn ChatModel,
    request: ChatRequest,
) -> Result<(Option<ModelCard>, ChatEvent, ChatStream)> {
    let mut stream = model.chat(request).await?;
    let mut card = None;
    loop {
        match stream.next().await {
            Some(Ok(ChatEvent::Model(told))) => card = Some(told),
            Some(Ok(event)) => return Ok((card, event, stream)),
            Some(Err(error)) => return Err(error),
            None => return Err(cut_off(&model.card().name)),
        }
    }
}

fn cut_off(name: &str) -> Error {
    Error::new(
        ErrorCode::ModelReply,
        format!("模型“{name}”的回复中途断开，没有写完。请重试。"),
    )
}

/// A reply that has begun; what becomes of it is noted.
struct Replying {
    name: String,
    stream: ChatStream,
    /// Until the reply has ended, well or not.
    trial: Option<Trial>,
}

impl Replying {
    async fn next(&mut self) -> Option<Result<ChatEvent>> {
        self.trial.as_ref()?;
        let event = self.stream.next().await;
        self.pass(event)
    }

    fn pass(&mut self, event: Option<Result<ChatEvent>>) -> Option<Result<ChatEvent>> {
        let event = event.unwrap_or_else(|| Err(cut_off(&self.name)));
        match &event {
            Ok(ChatEvent::Done { .. }) => {
                if let Some(trial) = self.trial.take() {
                    trial.answered();
                }
            }
            Ok(_) => {}
            Err(error) => {
                if let Some(trial) = self.trial.take() {
                    trial.failed(error);
                }
            }
        }
        Some(event)
    }
}
