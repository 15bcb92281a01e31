//! A reply as it comes: events of a stream, or one JSON value.

use std::collections::VecDeque;

use kernel::{
    Result,
    models::{ChatEvent, Finish, ToolCall, Usage},
};
use serde_json::{Map, Value};

use crate::{
    endpoint::{Answer, Faults, SseFault, SseParser, error_in, looks_like_a_page},
    schema::Schema,
    shaping::Shaping,
};

/// More tools than any request offers.
const MOST_CALLS: usize = 64;

/// Reads one answer.
pub(super) struct Reading {
    answer: Option<Answer>,
    parser: SseParser,
    /// The answer is one JSON value, or says so.
    whole: bool,
    reply: Reply,
    /// The beginning of what came, to tell what it is if it's no reply.
    head: Vec<u8>,
    events: VecDeque<ChatEvent>,
}

impl Reading {
    pub(super) fn new(answer: Answer, reply: Reply) -> Result<Self> {
        let kind = answer.content_type();
        if kind.contains("html") {
            let what = "返回的是网页，不是模型接口的数据";
            return Err(answer.faults.garbled(what, &kind));
        }
        Ok(Self {
            answer: Some(answer),
            parser: SseParser::default(),
            whole: kind.contains("json"),
            reply,
            head: Vec::new(),
            events: VecDeque::new(),
        })
    }

    /// The next event, and what reads on.
    pub(super) async fn next(mut self) -> Option<(Result<ChatEvent>, Self)> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some((Ok(event), self));
            }
            let answer = self.answer.take()?;
            if let Err(error) = self.read(answer).await {
                self.events.clear();
                return Some((Err(error), self));
            }
        }
    }

    /// Reads one piece; keeps the answer unless the reply is at its end.
    async fn read(&mut self, mut answer: Answer) -> Result<()> {
        if self.whole {
            let value = answer.json().await?;
            self.reply.take_in(&value, &mut self.events)?;
            return self.reply.end(true, &mut self.events);
        }
        let (payloads, at_end) = match answer.chunk().await? {
            Some(bytes) => {
                if self.head.len() < 512 {
                    self.head.extend(bytes.iter().take(512));
                }
                (self.parser.push(&bytes), false)
            }
            None => (std::mem::take(&mut self.parser).finish(), true),
        };
        let faults = &answer.faults;
        let payloads = payloads.map_err(|fault| match fault {
            SseFault::TooLong => faults.too_large(),
            SseFault::NotText => {
                faults.garbled("返回的不是文字", &String::from_utf8_lossy(&self.head))
            }
        })?;
        for payload in payloads {
            if payload.trim() == "[DONE]" {
                return self.reply.end(true, &mut self.events);
            }
            if payload.trim().is_empty() {
                continue;
            }
            let value: Value = serde_json::from_str(&payload)
                .map_err(|_| faults.garbled("返回的不是 JSON", &payload))?;
            self.reply.take_in(&value, &mut self.events)?;
            if self.reply.over() {
                return self.reply.end(true, &mut self.events);
            }
        }
        if !at_end {
            self.answer = Some(answer);
            return Ok(());
        }
        if !self.reply.begun {
            let head = String::from_utf8_lossy(&self.head);
            return Err(if looks_like_a_page(&head) {
                faults.garbled("返回的是网页，不是模型接口的数据", &head)
            } else if head.trim().is_empty() {
                faults.garbled("返回的内容是空的", "")
            } else {
                faults.garbled("返回的不是约定的事件流", &head)
            });
        }
        self.reply.end(false, &mut self.events)
    }
}

/// A tool call that is still coming.
#[derive(Default)]
struct Partial {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

/// A reply that is still coming.
pub(super) struct Reply {
    faults: Faults,
    shaping: Shaping,
    schema: Option<Schema>,
    /// The text so far, where it's checked as a whole.
    held: String,
    calls: Vec<Partial>,
    finish: Option<Finish>,
    usage: Option<Usage>,
    begun: bool,
}

impl Reply {
    pub(super) fn new(faults: Faults, stop: &[String], schema: Option<Schema>) -> Self {
        Self {
            faults,
            shaping: Shaping::new(stop),
            schema,
            held: String::new(),
            calls: Vec::new(),
            finish: None,
            usage: None,
            begun: false,
        }
    }

    /// Whether nothing more is wanted: a stop string has come.
    fn over(&self) -> bool {
        self.shaping.stopped()
    }

    /// Takes in an event of a stream, or a whole reply, which has `message` for `delta`.
    fn take_in(&mut self, value: &Value, events: &mut VecDeque<ChatEvent>) -> Result<()> {
        if let Some(error) = error_in(value) {
            return Err(self.faults.told(error));
        }
        if let Some(usage) = value.get("usage").and_then(Value::as_object) {
            self.usage = counted(usage).or(self.usage);
        }
        let Some(choices) = value.get("choices").and_then(Value::as_array) else {
            return if self.begun || value.get("usage").is_some() {
                Ok(())
            } else {
                Err(self
                    .faults
                    .garbled("返回的 JSON 中没有 choices", &value.to_string()))
            };
        };
        self.begun = true;
        let Some(choice) = choices.first() else {
            return Ok(());
        };
        let delta = choice.get("delta").filter(|delta| delta.is_object());
        let delta = delta
            .or_else(|| choice.get("message"))
            .unwrap_or(&Value::Null);
        if let Some(text) = delta.get("content").and_then(Value::as_str) {
            let text = self.shaping.push(text);
            self.say(text, events);
        }
        if let Some(calls) = delta.get("tool_calls").and_then(Value::as_array) {
            for call in calls {
                self.call(call)?;
            }
        }
        match choice.get("finish_reason").and_then(Value::as_str) {
            None | Some("") => {}
            Some("content_filter") => return Err(self.faults.filtered()),
            Some("length") => self.finish = Some(Finish::Length),
            Some("tool_calls" | "function_call") => self.finish = Some(Finish::ToolCalls),
            Some(_) => self.finish = Some(Finish::Stop),
        }
        Ok(())
    }

    fn say(&mut self, text: String, events: &mut VecDeque<ChatEvent>) {
        if self.schema.is_some() {
            self.held += &text;
        } else if !text.is_empty() {
            events.push_back(ChatEvent::Text(text));
        }
    }

    /// Takes in a part of a tool call. Parts with one index belong together; without an index, those without an id
    /// belong to the last call.
    fn call(&mut self, part: &Value) -> Result<()> {
        let index = part.get("index").and_then(Value::as_u64);
        let id = part.get("id").and_then(Value::as_str).unwrap_or_default();
        let known = match index {
            Some(_) => self.calls.iter().position(|call| call.index == index),
            None if id.is_empty() => self.calls.len().checked_sub(1),
            None => self.calls.iter().position(|call| call.id == id),
        };
        let at = match known {
            Some(at) => at,
            None if self.calls.len() == MOST_CALLS => return Err(self.faults.too_large()),
            None => {
                self.calls.push(Partial::default());
                self.calls.len() - 1
            }
        };
        let call = &mut self.calls[at];
        call.index = index;
        if !id.is_empty() {
            id.clone_into(&mut call.id);
        }
        let function = part.get("function").unwrap_or(&Value::Null);
        if let Some(name) = function.get("name").and_then(Value::as_str) {
            // Some services repeat the name with every part.
            if call.name != name {
                call.name += name;
            }
        }
        match function.get("arguments") {
            Some(Value::String(arguments)) => call.arguments += arguments,
            Some(Value::Null) | None => {}
            Some(arguments) => call.arguments = arguments.to_string(),
        }
        Ok(())
    }

    /// The end of the reply: `told` if the endpoint said so, not only fell silent.
    fn end(&mut self, told: bool, events: &mut VecDeque<ChatEvent>) -> Result<()> {
        if !told && self.finish.is_none() {
            return Err(self.faults.cut_off());
        }
        if !self.begun {
            return Err(self.faults.garbled("返回的内容是空的", ""));
        }
        let rest = self.shaping.finish();
        self.say(rest, events);
        for (at, call) in std::mem::take(&mut self.calls).into_iter().enumerate() {
            events.push_back(ChatEvent::ToolCall(self.whole(at, call)?));
        }
        let called = events
            .iter()
            .any(|event| matches!(event, ChatEvent::ToolCall(_)));
        let finish = match self.finish {
            _ if self.over() => Finish::Stop,
            _ if called => Finish::ToolCalls,
            None | Some(Finish::ToolCalls) => Finish::Stop,
            Some(finish) => finish,
        };
        if let (Some(schema), false) = (&self.schema, called) {
            let text = unfenced(&self.held);
            let value: Value = serde_json::from_str(text)
                .map_err(|e| self.faults.off_schema(&e.to_string(), text))?;
            schema
                .check(&value)
                .map_err(|why| self.faults.off_schema(&why, text))?;
            events.push_front(ChatEvent::Text(text.to_owned()));
        }
        events.push_back(ChatEvent::Done {
            finish,
            usage: self.usage,
        });
        Ok(())
    }

    fn whole(&self, at: usize, call: Partial) -> Result<ToolCall> {
        let arguments = call.arguments.trim();
        let arguments = if arguments.is_empty() {
            Value::Object(Map::new())
        } else {
            serde_json::from_str(arguments)
                .map_err(|_| self.faults.garbled("工具调用的参数不是 JSON", arguments))?
        };
        if call.name.is_empty() {
            return Err(self.faults.garbled("工具调用没有工具名", ""));
        }
        Ok(ToolCall {
            id: if call.id.is_empty() {
                format!("call_{at}")
            } else {
                call.id
            },
            name: call.name,
            arguments,
        })
    }
}

fn counted(usage: &Map<String, Value>) -> Option<Usage> {
    let count = |key: &str| usage.get(key).and_then(Value::as_u64);
    Some(Usage {
        prompt: count("prompt_tokens")?,
        completion: count("completion_tokens").unwrap_or_default(),
    })
}

/// JSON without the code fence that models like to put around it.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```") else {
        return text;
    };
    let inner = inner.strip_suffix("```").unwrap_or(inner);
    inner.strip_prefix("json").unwrap_or(inner).trim()
}
