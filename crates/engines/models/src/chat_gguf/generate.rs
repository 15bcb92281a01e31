//! One reply: the conversation taken in, then token by token until the end.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use candle_core::{Result, Tensor};
use kernel::{
    Error, ErrorCode,
    models::{ChatEvent, ChatRequest, Finish, Usage},
};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    ahead::Ahead, fault::Faults, network::Network, sampling::Sampler, vocabulary::Vocabulary,
};
use crate::{
    schema::{Automaton, Schema},
    shaping::Shaping,
};

/// So many tokens of a conversation are taken in at once, and only whole parts are used again: a token's keys and values
/// depend a little, in the last digits, on how many were computed with it, and the same request is to give the same reply.
const PART: usize = 64;

/// A request, and where its reply goes.
pub(super) struct Job {
    pub(super) request: ChatRequest,
    pub(super) schema: Option<Schema>,
    pub(super) seed: u64,
    pub(super) events: UnboundedSender<kernel::Result<ChatEvent>>,
}

impl Job {
    /// Whether nobody waits for the reply any more.
    fn is_over(&self) -> bool {
        self.events.is_closed()
    }

    /// Says something; whether anybody heard it is found out before the next token.
    pub(super) fn say(&self, event: kernel::Result<ChatEvent>) {
        let _ = self.events.send(event);
    }
}

/// A model at work.
pub(super) struct Engine {
    pub(super) faults: Faults,
    pub(super) network: Network,
    pub(super) vocabulary: Vocabulary,
    pub(super) context: usize,
    /// The tokens whose keys and values can be used again, a multiple of [`PART`].
    pub(super) kept: Vec<u32>,
    /// Tokens written since the start.
    pub(super) written: Arc<AtomicU64>,
}

/// Why no more tokens come.
enum End {
    Finished(Finish),
    /// Nobody waits for them any more.
    Cancelled,
}

impl Engine {
    /// Replies to one request; an error is yet to be said.
    pub(super) fn reply(&mut self, job: &Job) -> kernel::Result<()> {
        if job.is_over() {
            return Ok(());
        }
        let faults = self.faults.clone();
        let failed = |error| faults.failed(error);
        let prompt = self
            .vocabulary
            .conversation(&job.request.messages)
            .map_err(failed)?;
        if prompt.len() >= self.context {
            return Err(faults.too_long(prompt.len(), self.context));
        }
        let Some(states) = self.take_in(job, &prompt).map_err(failed)? else {
            return Ok(());
        };
        let length = prompt.len() as u64;
        let ahead = Ahead::new(prompt, &states).map_err(failed)?;
        let mut text = Text::new(job);
        let End::Finished(finish) = self.write(job, &mut text, ahead)? else {
            return Ok(());
        };
        text.end();
        if let Some(schema) = &job.schema {
            let value = serde_json::from_str(&text.whole).map_err(|e| e.to_string());
            let value = value.and_then(|value| schema.check(&value));
            value.map_err(|why| faults.off_schema(&why, &text.whole))?;
            job.say(Ok(ChatEvent::Text(text.whole)));
        }
        let usage = Some(Usage {
            prompt: length,
            completion: text.tokens as u64,
        });
        job.say(Ok(ChatEvent::Done { finish, usage }));
        Ok(())
    }

    /// Takes in a conversation, from where it differs from the last one, and returns the states of its last tokens.
    fn take_in(&mut self, job: &Job, prompt: &[u32]) -> Result<Option<Tensor>> {
        let common = self
            .kept
            .iter()
            .zip(prompt)
            .take_while(|(a, b)| a == b)
            .count();
        // The last token is always computed: what comes next is read from it.
        let used = common.min(prompt.len() - 1) / PART * PART;
        self.kept.truncate(used);
        let mut state = None;
        for part in prompt[used..].chunks(PART) {
            if job.is_over() {
                return Ok(None);
            }
            state = Some(self.network.take_in(part, self.kept.len())?);
            if part.len() == PART {
                self.kept.extend(part);
            }
        }
        Ok(state)
    }

    /// Writes token by token. What a schema leaves no choice about is not asked of the network, only told to it.
    fn write(&mut self, job: &Job, text: &mut Text, mut ahead: Ahead) -> kernel::Result<End> {
        let faults = self.faults.clone();
        let failed = |error| faults.failed(error);
        let mut sampler = Sampler::new(job.request.temperature, job.seed);
        let automaton = job.schema.as_ref().map(Automaton::new);
        let mut open = automaton
            .as_ref()
            .map(|automaton| (automaton, automaton.start()));
        let most = job.request.max_tokens.min(self.context - ahead.len());
        loop {
            if job.is_over() {
                return Ok(End::Cancelled);
            }
            if let Some((automaton, state)) = &mut open {
                let forced = whole_characters(automaton.forced(state));
                let mut tokens = self.vocabulary.encode(&forced).map_err(failed)?;
                let forced = automaton.after(state, forced.as_bytes());
                // Where a choice follows, the network chooses from the last token on: it may know a longer one there, and
                // would be led astray by one that it never saw before what follows.
                if !forced.is_some_and(|after| after.must_end()) {
                    tokens.pop();
                }
                if text.tokens + tokens.len() > most {
                    return Ok(End::Finished(Finish::Length));
                }
                for id in tokens {
                    let bytes = self.vocabulary.bytes(id);
                    *state = automaton.after(state, bytes).ok_or_else(|| faults.lost())?;
                    text.push(bytes);
                    ahead.push(id);
                }
                if state.must_end() {
                    return Ok(End::Finished(Finish::Stop));
                }
            }
            if text.shaping.stopped() {
                return Ok(End::Finished(Finish::Stop));
            }
            if text.tokens >= most {
                return Ok(End::Finished(Finish::Length));
            }
            let logits = ahead
                .outlook(&mut self.network, self.context)
                .map_err(failed)?;
            let vocabulary = &self.vocabulary;
            let next = sampler.next(&logits, |id| match &open {
                _ if vocabulary.ends_reply(id) => {
                    open.as_ref().is_none_or(|(_, state)| state.may_end())
                }
                Some((automaton, state)) => {
                    let bytes = vocabulary.bytes(id);
                    !bytes.is_empty() && automaton.after(state, bytes).is_some()
                }
                None => !vocabulary.bytes(id).is_empty(),
            });
            let id = next.ok_or_else(|| faults.lost())?;
            if vocabulary.ends_reply(id) {
                return Ok(End::Finished(Finish::Stop));
            }
            let bytes = vocabulary.bytes(id);
            if let Some((automaton, state)) = &mut open {
                *state = automaton.after(state, bytes).ok_or_else(|| faults.lost())?;
            }
            text.push(bytes);
            ahead.push(id);
            self.written.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Bytes up to where a character is not whole.
fn whole_characters(mut bytes: Vec<u8>) -> String {
    if let Err(error) = str::from_utf8(&bytes) {
        bytes.truncate(error.valid_up_to());
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// The text of a reply, given out as it comes, or kept whole where it's to be checked.
struct Text<'j> {
    job: &'j Job,
    tokens: usize,
    /// The beginning of a character.
    bytes: Vec<u8>,
    shaping: Shaping,
    whole: String,
}

impl<'j> Text<'j> {
    fn new(job: &'j Job) -> Self {
        Self {
            job,
            tokens: 0,
            bytes: Vec::new(),
            shaping: Shaping::new(&job.request.stop),
            whole: String::new(),
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.tokens += 1;
        self.bytes.extend(bytes);
        let mut text = String::new();
        let mut rest = Vec::new();
        for chunk in self.bytes.utf8_chunks() {
            text += chunk.valid();
            match chunk.invalid() {
                [] => {}
                // It may become a character yet.
                start if is_start(start) => rest = start.to_vec(),
                _ => text.push(char::REPLACEMENT_CHARACTER),
            }
        }
        self.bytes = rest;
        let text = self.shaping.push(&text);
        self.say(text);
    }

    fn end(&mut self) {
        if !self.bytes.is_empty() {
            self.bytes.clear();
            let text = self.shaping.push("\u{fffd}");
            self.say(text);
        }
        let rest = self.shaping.finish();
        self.say(rest);
    }

    fn say(&mut self, text: String) {
        if self.job.schema.is_some() {
            self.whole += &text;
        } else if !text.is_empty() {
            self.job.say(Ok(ChatEvent::Text(text)));
        }
    }
}

/// Whether bytes are the beginning of a character and not wrong in themselves.
fn is_start(bytes: &[u8]) -> bool {
    str::from_utf8(bytes)
        .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}

impl Faults {
    fn too_long(&self, length: usize, context: usize) -> Error {
        self.error(
            ErrorCode::InvalidInput,
            &format!(
                "最多容纳 {context} 个词元，而内容有 {length} 个。请缩短问题或减少材料后重试。"
            ),
        )
    }

    fn off_schema(&self, why: &str, text: &str) -> Error {
        let head: String = text.chars().take(300).collect();
        self.error(
            ErrorCode::ModelReply,
            "的回复不符合所要求的 JSON 结构。请重试。",
        )
        .with_detail(format!("{why}: {head}"))
    }

    fn lost(&self) -> Error {
        self.error(
            ErrorCode::ModelReply,
            "写不出符合要求的回复。请重试，或换用其他模型。",
        )
        .with_detail("no token is allowed, or the logits are no numbers")
    }
}
