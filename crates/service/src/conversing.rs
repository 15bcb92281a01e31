//! A message of a conversation: a question, a step of a guided dialogue, or the wish to begin one.

use std::sync::Arc;

use jiff::civil::Date;
use kernel::{Result, capability::Context};
use platform::{
    answer::{AnswerStatus, AskInput, Segment},
    trace::Recorder,
};
use serde_json::json;

use crate::{
    Assistant,
    assistant::{Reply, step},
    cases::Case,
    guide::desk::{Guided, Opened, Step, names_nothing, wants_to_apply},
    intents::{Intent, Reading, context},
    items::{catalogue::Entry, schema::Days},
};

/// An item is offered, or begun, when it is at least so certain that it is meant.
const CERTAIN: f32 = 0.65;

/// An item is named among others when it is at least so likely.
const LIKELY: f32 = 0.08;

/// Items named when it is not clear which is meant.
const BETWEEN: usize = 3;

/// What somebody said.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    /// As it was said: what a form needs.
    pub(crate) message: &'a str,
    /// Without personal data: what is traced, searched for and sent to a model.
    pub(crate) masked: &'a str,
}

impl Assistant {
    /// What a message comes to, and the case that it hands in.
    #[expect(
        clippy::too_many_lines,
        reason = "one decision after the other, each of a line or two"
    )]
    pub(crate) async fn converse(
        &self,
        context: &Context,
        recorder: &mut Recorder,
        said: Said<'_>,
        input: &AskInput,
        opened: &mut Opened,
        on: Date,
    ) -> Result<(Reply, Option<Box<Case>>)> {
        let Said { message, masked } = said;
        let start = recorder.elapsed();
        let heard = self
            .guides
            .hear(context, opened, message, &input.fill, on)
            .await?;
        let aside = match heard {
            Step::Guided(guided) => {
                return self.guided(context, recorder, *guided, start);
            }
            Step::Aside => true,
            Step::None => false,
        };
        // What follows up on the last question is asked as a whole one.
        let resolved = opened
            .previous()
            .map(|previous| context::resolve(previous, masked).question);
        let question = resolved.as_deref().unwrap_or(masked);
        let reading = self.guides.catalogue().read(question).await;
        let told = json!({
            "question": question,
            "intent": reading.intent,
            "certainty": reading.certainty,
            "items": reading.items.iter().take(BETWEEN).map(|i| json!({"name": i.name, "probability": i.probability})).collect::<Vec<_>>(),
            "why": reading.why,
        });
        step(context, recorder, "intent", "识别意图", start, &told)?;
        let meant = self.meant(&reading);
        if !aside {
            let begun = self
                .guides
                .begin(context, opened, message, meant.clone(), on)
                .await?;
            if let Some(guided) = begun {
                opened.remember(question);
                return self.guided(context, recorder, guided, start);
            }
            if wants_to_apply(message) && names_nothing(message) {
                let text = "您想办哪个事项？请说出名称，例如“住房公积金租房提取”。".to_owned();
                return Ok((plainly(AnswerStatus::Clarify, text), None));
            }
            if wants_to_apply(message)
                && about_an_item(&reading)
                && let Some(reply) = self.ask_which(opened, &reading)
            {
                return Ok((reply, None));
            }
            if let Some(reply) = small_matters(&reading) {
                let segment = reply.segments.first();
                segment.map_or(Ok(()), |s| context.emit("segment", s))?;
                return Ok((reply, None));
            }
        }
        opened.remember(question);
        let mut reply = self
            .reply(context, recorder, question, input.space.clone(), on)
            .await?;
        if aside {
            reply.guide = self
                .guides
                .waiting(opened, on, &mut reply.citations)
                .await?;
            return Ok((reply, None));
        }
        if let Some(entry) = meant {
            // Where no document answers, the item itself does: its statements stand on clauses as well.
            if reply.status == AnswerStatus::Refused
                && let Some(introduced) = self.introduce(context, &entry, on).await?
            {
                reply = introduced;
            }
            reply.offer = Some(self.guides.offer(opened, &entry));
        } else if about_an_item(&reading)
            && let Some(which) = self.ask_which(opened, &reading)
        {
            if reply.status == AnswerStatus::Refused {
                return Ok((which, None));
            }
            reply.choices = which.choices;
        }
        Ok((reply, None))
    }

    fn guided(
        &self,
        context: &Context,
        recorder: &mut Recorder,
        guided: Guided,
        start: f64,
    ) -> Result<(Reply, Option<Box<Case>>)> {
        let told = json!({
            "item": guided.guide.item,
            "heard": guided.heard,
            "state": guided.guide.state,
            "asks": guided.guide.ask.as_ref().map(|a| &a.field),
        });
        step(context, recorder, "guide", "办事引导", start, &told)?;
        for citation in &guided.citations {
            context.emit("citation", citation)?;
        }
        let reply = Reply {
            citations: guided.citations,
            guide: Some(guided.guide),
            ..plainly(AnswerStatus::Guide, guided.text)
        };
        for segment in &reply.segments {
            context.emit("segment", segment)?;
        }
        if let Some(guide) = &reply.guide {
            context.emit("guide", guide)?;
        }
        Ok((reply, guided.case))
    }

    /// The item that is meant, if that is clear.
    fn meant(&self, reading: &Reading) -> Option<Arc<Entry>> {
        let best = reading.items.first()?;
        let clear = about_an_item(reading) && !reading.close && best.probability >= CERTAIN;
        clear
            .then(|| self.guides.catalogue().get(&best.id))
            .flatten()
    }

    /// An item as an answer: what it is, its conditions, materials and time, each with the clauses that they stand on.
    async fn introduce(&self, context: &Context, entry: &Entry, on: Date) -> Result<Option<Reply>> {
        let (item, catalogue) = (&entry.item, self.guides.catalogue());
        let joined = |parts: Vec<&str>| parts.join("；");
        let bases = |all: &mut dyn Iterator<Item = &Vec<String>>| -> Vec<String> {
            all.flatten().cloned().collect()
        };
        let rules = bases(&mut item.rules.iter().map(|r| &r.basis));
        let first = item.rules.first().map(|r| r.basis.clone());
        let limit = &item.time_limit;
        let days = match limit.unit {
            Days::WorkingDays => "个工作日",
            Days::Days => "天",
        };
        let lines = [
            (
                format!("您可以办“{}”：{}", item.name, item.summary),
                first.unwrap_or_default(),
            ),
            (
                format!(
                    "条件：{}。",
                    joined(item.rules.iter().map(|r| r.text.as_str()).collect())
                ),
                rules,
            ),
            (
                format!(
                    "材料：{}。",
                    joined(item.materials.iter().map(|m| m.name.as_str()).collect())
                ),
                bases(&mut item.materials.iter().map(|m| &m.basis)),
            ),
            (
                format!(
                    "时限：{}{days}。{}",
                    limit.promised,
                    limit.note.as_deref().unwrap_or_default()
                ),
                limit.basis.clone(),
            ),
            (format!("收费：{}。", item.fee.text), item.fee.basis.clone()),
        ];
        let mut reply = plainly(AnswerStatus::Answered, String::new());
        reply.segments.clear();
        for (text, bases) in lines {
            let marks = catalogue
                .cite(item, &bases, on, &mut reply.citations)
                .await?;
            // What stands on nothing isn't said.
            if !marks.is_empty() {
                reply.segments.push(Segment {
                    text,
                    citations: marks,
                });
            }
        }
        if reply.segments.is_empty() {
            return Ok(None);
        }
        for citation in &reply.citations {
            context.emit("citation", citation)?;
        }
        for segment in &reply.segments {
            context.emit("segment", segment)?;
        }
        Ok(Some(reply))
    }

    /// Asks which of the likeliest items is meant.
    fn ask_which(&self, opened: &mut Opened, reading: &Reading) -> Option<Reply> {
        let names: Vec<String> = reading
            .items
            .iter()
            .take(BETWEEN)
            .filter(|i| i.probability >= LIKELY)
            .map(|i| i.name.clone())
            .collect();
        if names.is_empty() {
            return None;
        }
        self.guides.ask_between(opened, &names);
        Some(Reply {
            choices: names,
            ..plainly(AnswerStatus::Clarify, "您想办的是下面哪一项？".to_owned())
        })
    }
}

/// Whether a message is about something that can be applied for: to do it, or what is laid down about it.
fn about_an_item(reading: &Reading) -> bool {
    matches!(reading.intent, Intent::Item | Intent::Policy)
}

/// A reply that only says something.
fn plainly(status: AnswerStatus, text: String) -> Reply {
    let segment = Segment {
        text,
        citations: Vec::new(),
    };
    Reply {
        status,
        segments: vec![segment],
        points: Vec::new(),
        citations: Vec::new(),
        notices: Vec::new(),
        phrased_by: None,
        choices: Vec::new(),
        guide: None,
        offer: None,
    }
}

/// The reply to what no document answers: a greeting, how a case stands. Nothing in it is a fact of the city's rules.
fn small_matters(reading: &Reading) -> Option<Reply> {
    let certain = reading.certainty >= CERTAIN;
    match reading.intent {
        Intent::SmallTalk if certain => Some(plainly(
            AnswerStatus::Clarify,
            "您好，我可以按本市的文件回答政策和办事问题，也可以帮您在线办理。请直接说您想问什么、想办什么。".to_owned(),
        )),
        Intent::CaseStatus if certain => Some(plainly(
            AnswerStatus::Clarify,
            "在这里提交的申请，登录后在“我的办件”里可以看到办理进度。其他渠道提交的，请向受理的窗口或者拨打12345查询。".to_owned(),
        )),
        _ => None,
    }
}
