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
    guide::desk::{Guided, Opened, Step, wants_to_apply},
    items::catalogue::Entry,
};

impl Assistant {
    /// What a message comes to, and the case that it hands in.
    pub(crate) async fn converse(
        &self,
        context: &Context,
        recorder: &mut Recorder,
        message: &str,
        input: &AskInput,
        opened: &mut Opened,
        on: Date,
    ) -> Result<(Reply, Option<Box<Case>>)> {
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
        let recognised = self.recognise(message);
        if !aside
            && let Some(guided) = self
                .guides
                .begin(context, opened, message, recognised.first().cloned(), on)
                .await?
        {
            return self.guided(context, recorder, guided, start);
        }
        let mut reply = self
            .reply(context, recorder, message, input.space.clone(), on)
            .await?;
        if aside {
            reply.guide = self
                .guides
                .waiting(opened, on, &mut reply.citations)
                .await?;
        } else if let Some(entry) = recognised.first() {
            reply.offer = Some(self.guides.offer(opened, entry));
        } else if wants_to_apply(message) && reply.status == AnswerStatus::Refused {
            let names: Vec<String> = self
                .guides
                .catalogue()
                .all()
                .values()
                .map(|e| e.item.name.clone())
                .take(6)
                .collect();
            self.guides.ask_between(opened, &names);
            reply.choices = names;
            reply.status = AnswerStatus::Clarify;
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
        let segment = Segment {
            text: guided.text,
            citations: Vec::new(),
        };
        for citation in &guided.citations {
            context.emit("citation", citation)?;
        }
        context.emit("segment", &segment)?;
        context.emit("guide", &guided.guide)?;
        let reply = Reply {
            status: AnswerStatus::Guide,
            segments: vec![segment],
            points: Vec::new(),
            citations: guided.citations,
            notices: Vec::new(),
            phrased_by: None,
            choices: Vec::new(),
            guide: Some(guided.guide),
            offer: None,
        };
        Ok((reply, guided.case))
    }

    /// The items that a message may mean, best first.
    fn recognise(&self, message: &str) -> Vec<Arc<Entry>> {
        let items = self.guides.catalogue().all();
        let mut found: Vec<(usize, Arc<Entry>)> = items
            .values()
            .filter_map(|entry| {
                let names = std::iter::once(&entry.item.name).chain(&entry.item.aliases);
                let held = names
                    .filter(|n| message.contains(n.as_str()))
                    .map(|n| n.chars().count());
                let asked = entry.item.questions.iter().any(|q| q == message);
                let score = held.max().unwrap_or_default() + if asked { 100 } else { 0 };
                (score > 0).then(|| (score, entry.clone()))
            })
            .collect();
        found.sort_by_key(|f| std::cmp::Reverse(f.0));
        found.into_iter().map(|f| f.1).collect()
    }
}
