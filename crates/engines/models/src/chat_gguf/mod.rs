//! Chat inside the process: weights of the Qwen 2 and Qwen 3 families from a GGUF file, on the processor.
//!
//! | file | what |
//! |---|---|
//! | `weights.rs` | the file read, every shape checked |
//! | `network.rs`, `ops.rs` | from tokens to what may come next |
//! | `vocabulary.rs` | text to tokens and back; conversations as these models know them |
//! | `sampling.rs` | which token comes next |
//! | `ahead.rs` | tokens computed ahead, where a reply copies what it was given |
//! | `generate.rs` | a whole reply: stop strings, schema, limits, cancelling |
//! | `fault.rs` | what goes wrong |

mod ahead;
mod fault;
mod generate;
mod network;
mod ops;
mod sampling;
mod vocabulary;
mod weights;

#[cfg(test)]
#[path = "../../tests/gguf/mini.rs"]
mod mini;

use std::{
    collections::hash_map::RandomState,
    fs::File,
    hash::BuildHasher,
    io::BufReader,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    thread,
    time::Instant,
};

use async_trait::async_trait;
use candle_core::quantized::gguf_file::Content;
use futures_util::Stream;
use kernel::{
    Error, Result,
    models::{ChatEvent, ChatModel, ChatRequest, ChatStream, ModelCard, Site},
};
use parking_lot::Mutex;
use serde::Deserialize;
use std::sync::mpsc::{Sender, channel};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::schema::Schema;
use fault::Faults;
use generate::{Engine, Job};
use network::Network;
use vocabulary::Vocabulary;
use weights::Shape;

/// How a model inside the process is used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GgufSettings {
    /// How many tokens a request and its reply may have together, at most what the model was made for.
    pub context: usize,
    /// How many requests may wait while one is replied to; beyond, the model is busy.
    pub queue: usize,
}

impl Default for GgufSettings {
    fn default() -> Self {
        Self {
            context: 4_096,
            queue: 4,
        }
    }
}

/// A chat model inside the process. It replies to one request at a time, on a thread of its own; what the beginning of a
/// conversation has in common with the last one is not computed again. A reply to a schema is held to it while it is
/// written, and given out whole. It calls no tools.
///
/// How many threads compute is set for the whole process, before it starts, by the environment variables that
/// [`threads_environment`] names.
pub struct GgufChat {
    card: ModelCard,
    faults: Faults,
    jobs: Mutex<Sender<Job>>,
    /// Replies that are waited for.
    places: Arc<AtomicUsize>,
    queue: usize,
    /// How long a reply took lately, in milliseconds.
    usual: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
}

/// How many threads compute.
pub fn threads() -> usize {
    candle_core::utils::get_num_threads()
}

/// The environment in which a process must be started to compute with so many threads, at least 1. The libraries read it
/// once, when they first compute, and have no other switch.
pub fn threads_environment(threads: usize) -> [(&'static str, String); 2] {
    let threads = threads.max(1).to_string();
    [
        ("RAYON_NUM_THREADS", threads.clone()),
        ("CANDLE_NUM_THREADS", threads),
    ]
}

impl GgufChat {
    /// Reads a model and starts its thread. Blocks for seconds.
    ///
    /// # Errors
    /// `ModelUnavailable` if the file can't be read, `DamagedFile` if it's no whole model, `UnsupportedFormat` if it's one
    /// of another family.
    pub fn open(name: &str, path: &Path, settings: &GgufSettings) -> Result<Self> {
        let faults = Faults(name.to_owned());
        let file = File::open(path).map_err(|e| faults.unreadable(path, e))?;
        // Libraries check much of what a file may say, but not all.
        let engine = catch_unwind(AssertUnwindSafe(|| read(&faults, path, &file, settings)));
        let engine = engine.map_err(|panic| faults.damaged(path, fault::said(&*panic)))??;
        let card = ModelCard {
            name: name.to_owned(),
            site: Site::Local,
            context: Some(engine.context),
        };
        let (jobs, work) = channel();
        let written = engine.written.clone();
        let usual = Arc::new(AtomicU64::new(5_000));
        let measured = usual.clone();
        thread::Builder::new()
            .name(format!("chat {name}"))
            .spawn(move || {
                let mut engine = engine;
                // Until the model is dropped.
                for job in work {
                    serve(&mut engine, &job, &measured);
                }
            })
            .map_err(Error::internal)?;
        Ok(Self {
            card,
            faults,
            jobs: Mutex::new(jobs),
            places: Arc::default(),
            written,
            queue: settings.queue,
            usual,
        })
    }

    /// How many tokens it has written since it was opened.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }
}

fn read(faults: &Faults, path: &Path, file: &File, settings: &GgufSettings) -> Result<Engine> {
    let damaged = |error: candle_core::Error| faults.damaged(path, error);
    let content = Content::read(&mut BufReader::new(file)).map_err(damaged)?;
    let shape = Shape::read(&content).map_err(damaged)?;
    let shape = shape.ok_or_else(|| faults.unknown(weights::architecture(&content)))?;
    let context = settings.context.clamp(1, shape.context);
    let vocabulary = Vocabulary::read(&content, shape.family, shape.vocabulary);
    let vocabulary = vocabulary.map_err(damaged)?;
    Ok(Engine {
        faults: faults.clone(),
        network: Network::read(&content, file, shape, context).map_err(damaged)?,
        vocabulary,
        context,
        kept: Vec::new(),
        written: Arc::default(),
    })
}

fn serve(engine: &mut Engine, job: &Job, usual: &AtomicU64) {
    let begun = Instant::now();
    let replied = catch_unwind(AssertUnwindSafe(|| engine.reply(job)));
    let replied = replied.unwrap_or_else(|panic| {
        engine.kept.clear();
        Err(engine.faults.failed(fault::said(&*panic)))
    });
    match replied {
        Ok(()) => {
            let took = begun.elapsed().as_millis() as u64;
            let before = usual.load(Ordering::Relaxed);
            usual.store((3 * before + took) / 4, Ordering::Relaxed);
        }
        Err(error) => {
            tracing::debug!(code = error.code.as_str(), detail = ?error.detail, "no reply");
            job.say(Err(error));
        }
    }
}

#[async_trait]
impl ChatModel for GgufChat {
    fn card(&self) -> ModelCard {
        self.card.clone()
    }

    async fn chat(&self, request: ChatRequest) -> Result<ChatStream> {
        if !request.tools.is_empty() {
            return Err(self.faults.unable());
        }
        let schema = request.schema.as_ref().map(Schema::new).transpose()?;
        let place = Place::take(&self.places, self.queue + 1).ok_or_else(|| {
            let waiting = self.places.load(Ordering::Relaxed) as u64;
            let wait = self.usual.load(Ordering::Relaxed) * waiting / 1_000;
            self.faults.busy(wait.clamp(1, 120))
        })?;
        let (events, receiver) = unbounded_channel();
        let seed = request
            .seed
            .unwrap_or_else(|| RandomState::new().hash_one(0));
        let job = Job {
            request,
            schema,
            seed,
            events,
        };
        let sent = self.jobs.lock().send(job);
        sent.map_err(|_| self.faults.failed("its thread has ended"))?;
        Ok(Box::pin(Reply {
            events: receiver,
            place: Some(place),
        }))
    }
}

/// One of the replies that are waited for.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(places: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let taken = places.fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
            (taken < most).then_some(taken + 1)
        });
        taken.ok().map(|_| Self(places.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A reply as it comes; dropped, it is cancelled before the next token.
struct Reply {
    events: UnboundedReceiver<Result<ChatEvent>>,
    place: Option<Place>,
}

impl Stream for Reply {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = self.events.poll_recv(context);
        if let Poll::Ready(None | Some(Err(_) | Ok(ChatEvent::Done { .. }))) = &event {
            self.place = None;
        }
        event
    }
}
