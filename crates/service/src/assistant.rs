//! Understand → retrieve → compose → (phrase) → check → stream. Without a language model the answer is what the sources
//! say; with one it phrases that, under the same check.

use std::{
    collections::{HashMap, hash_map::Entry},
    ops::Range,
    sync::Arc,
};

use documents::ClauseKind;
use jiff::civil::Date;
use kernel::{
    Error, ErrorCode, Result,
    capability::{Capability, Context, Definition, Permission, Registered},
    evidence::Citation,
    id::fresh,
    lexical::Filter,
    time,
};
use knowledge::{Library, library::Search, quote::Text, retrieval::Ranking};
use platform::{
    answer::{
        Answer, AnswerStatus, AskInput, Point, Segment,
        guide::{Guide, Offer},
    },
    models::Gateway,
    sessions::{SessionRecord, Sessions, Turn},
    trace::Recorder,
};
use serde::Serialize;
use serde_json::json;

use crate::{
    conversing::Said,
    evidence::{Source, gather},
    extract, guarding,
    guide::GuideDesk,
    phrase, points,
    refusal::{self, Content, LEAST_SUPPORT},
};

/// The longest question, in characters.
pub const LONGEST_QUESTION: usize = 2000;

/// Clauses looked at for one question.
const CLAUSES: usize = 120;

/// Documents that an answer may come from.
const DOCUMENTS: usize = 6;

/// Documents that an answer and its points are taken from.
const ANSWERED_FROM: usize = 3;

/// Another document is named if it scores at least this share of the best.
const SEE_ALSO: f32 = 0.5;

/// A sentence shorter than this, in bytes, is a heading rather than a statement.
const LEAST_SENTENCE: usize = 45;

/// The most points shown.
const POINTS: usize = 8;

/// A clause gives points if it scores at least this share of the best.
const POINT_SCORE: f32 = 0.35;

/// Answers citizens' questions from the city's documents.
#[derive(Clone)]
pub struct Assistant {
    pub(crate) library: Arc<Library>,
    pub(crate) sessions: Sessions,
    pub(crate) models: Gateway,
    pub(crate) guides: GuideDesk,
}

/// An answer before it belongs to a conversation.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What kind of answer it is.
    pub status: AnswerStatus,
    /// Its parts.
    pub segments: Vec<Segment>,
    /// What else the evidence says.
    pub points: Vec<Point>,
    /// The evidence.
    pub citations: Vec<Citation>,
    /// What the reader should know besides.
    pub notices: Vec<String>,
    /// Which model phrased it, if one did.
    pub phrased_by: Option<String>,
    /// What may be meant.
    pub choices: Vec<String>,
    /// The guided dialogue.
    pub guide: Option<Guide>,
    /// What can be begun from here.
    pub offer: Option<Offer>,
}

#[derive(Serialize)]
struct Step<'a> {
    step: &'a str,
    label: &'a str,
    ms: f64,
}

/// A draft: passages by source that have not been checked yet.
#[derive(Default)]
struct Draft {
    passages: Vec<(usize, Range<usize>)>,
    segments: Vec<(String, Vec<usize>)>,
    points: Vec<(points::Found, usize)>,
}

impl Draft {
    fn cite(&mut self, source: usize, span: Range<usize>) -> usize {
        let passage = (source, span);
        if let Some(at) = self.passages.iter().position(|p| *p == passage) {
            return at;
        }
        self.passages.push(passage);
        self.passages.len() - 1
    }
}

impl Assistant {
    /// An assistant over these documents.
    pub fn new(
        library: Arc<Library>,
        sessions: Sessions,
        models: Gateway,
        guides: GuideDesk,
    ) -> Self {
        Self {
            library,
            sessions,
            models,
            guides,
        }
    }

    /// What the outside can do with it.
    pub fn capabilities(&self) -> Vec<Registered> {
        vec![Registered::new(Ask(self.clone()))]
    }

    /// Answers a question in a conversation and stores the turn with its trace.
    ///
    /// # Errors
    /// `InvalidInput` for an empty question, `QuestionTooLong`, `NotFound` for an unknown conversation, `Storage`,
    /// `StorageFull`, `Index`.
    pub async fn ask(&self, context: &Context, input: AskInput) -> Result<Answer> {
        let question = input.question.trim().to_owned();
        if question.is_empty() {
            return Err(Error::new(ErrorCode::InvalidInput, "请先写下您的问题。"));
        }
        let length = question.chars().count();
        if length > LONGEST_QUESTION {
            return Err(Error::new(
                ErrorCode::QuestionTooLong,
                format!(
                    "问题有 {length} 个字，最多 {LONGEST_QUESTION} 个字。请缩短后再问，或分成几个问题。"
                ),
            ));
        }
        let visitor = context.caller.owner();
        let verdict = guarding::check(&question);
        let mut recorder = Recorder::new(visitor, &verdict.text);
        let session = self
            .sessions
            .resume(&context.caller, input.session.as_deref(), &question)
            .await?;
        let (turn, asked_at) = (fresh(), time::now());
        context.emit(
            "accepted",
            &json!({"session": session.id, "turn": turn, "trace": recorder.id()}),
        )?;
        let on = input.as_of.unwrap_or_else(time::today);
        let start = recorder.elapsed();
        step(
            context,
            &mut recorder,
            "safety",
            "安全检查",
            start,
            &guarding::told(&verdict),
        )?;
        let mut opened = self.guides.of(&session.id).await?;
        let (reply, case) = if verdict.passes() {
            let said = Said {
                message: &question,
                masked: &verdict.text,
            };
            self.converse(context, &mut recorder, said, &input, &mut opened, on)
                .await?
        } else {
            (guarding::nothing(), None)
        };
        let mut answer = finish(reply, &question, &session, &turn, &recorder);
        guarding::tell(&verdict, &mut answer);
        let trace = recorder.finish();
        let guided = self
            .guides
            .writes(context, &session.id, opened, case.as_deref())?;
        let stepped = answer.status == AnswerStatus::Guide;
        let turn = Turn {
            id: turn,
            question,
            asked_at,
            answer: answer.clone(),
        };
        let (again, same) = (session.clone(), turn.clone());
        let mut kept = self.sessions.append(session, turn, &trace, &guided).await;
        if !stepped && matches!(&kept, Err(e) if e.code == ErrorCode::Conflict) {
            // Somebody asked two things at once. What the other one left is followed up on.
            kept = self.sessions.append(again, same, &trace, &[]).await;
        }
        match kept {
            // A citizen is answered also while the disk is full; what is lost is said. A dialogue must not lose a step.
            Err(error) if error.code == ErrorCode::StorageFull && !stepped => {
                tracing::error!(%error, detail = error.detail, "an answer was not stored");
                answer
                    .notices
                    .push("存储空间已满，这次问答没有保存到历史记录。".to_owned());
            }
            stored => stored?,
        }
        Ok(answer)
    }

    /// Answers a question by itself: the path that conversation and evaluation share.
    ///
    /// # Errors
    /// `Storage`, `Index`.
    pub async fn reply(
        &self,
        context: &Context,
        recorder: &mut Recorder,
        question: &str,
        space: Option<String>,
        on: Date,
    ) -> Result<Reply> {
        let start = recorder.elapsed();
        let filter = Filter {
            space,
            hidden_spaces: context.caller.hidden_spaces.iter().cloned().collect(),
            in_force: Some(time::day_number(on)),
            ..Filter::default()
        };
        let ranking = self
            .library
            .rank(
                question,
                Search {
                    filter: filter.clone(),
                    limit: CLAUSES,
                },
            )
            .await?;
        let understood = understood(&ranking, on);
        step(
            context,
            recorder,
            "understand",
            "理解问题",
            start,
            &understood,
        )?;
        let start = recorder.elapsed();
        let content = Content::new(&ranking.question, |tokens| self.library.rarity(tokens))?;
        let (sources, changed) = gather(&self.library, &ranking.hits, &content, DOCUMENTS).await?;
        let support = support(&sources);
        step(
            context,
            recorder,
            "retrieve",
            "检索依据",
            start,
            &told(&ranking, &sources, support),
        )?;

        let start = recorder.elapsed();
        let mut notices: Vec<String> = changed
            .iter()
            .map(|title| format!("《{title}》的存储原文已变动，未作为依据。"))
            .collect();
        let draft = if support >= LEAST_SUPPORT {
            self.compose(question, &sources)?
        } else {
            Draft::default()
        };
        step(
            context,
            recorder,
            "compose",
            "组织答案",
            start,
            &json!({"passages": draft.passages.len()}),
        )?;

        let (draft, phrased_by) = self
            .phrase(context, recorder, question, &sources, draft, on)
            .await?;
        let streamed = if phrased_by.is_some() {
            draft.segments.len()
        } else {
            0
        };

        let start = recorder.elapsed();
        let reply = self.check(draft, &sources, on).await?;
        let failed = reply.1;
        let mut reply = reply.0;
        reply.phrased_by = phrased_by;
        notices.extend(self.changes(question, &ranking, filter, on).await?);
        reply.notices.extend(notices);
        let checked = json!({"citations": reply.citations.len(), "withheld": failed});
        step(context, recorder, "check", "核对原文", start, &checked)?;
        stream(context, &reply, streamed)?;
        Ok(reply)
    }

    /// The spans that would be considered for a question, with the documents they are from: what the extraction model
    /// learns from.
    ///
    /// # Errors
    /// `Storage`, `Index`.
    pub async fn examples(
        &self,
        question: &str,
        on: Date,
    ) -> Result<(Vec<Source>, Vec<extract::Example>)> {
        let filter = Filter {
            in_force: Some(time::day_number(on)),
            ..Filter::default()
        };
        let ranking = self
            .library
            .rank(
                question,
                Search {
                    filter,
                    limit: CLAUSES,
                },
            )
            .await?;
        let content = Content::new(&ranking.question, |tokens| self.library.rarity(tokens))?;
        let (sources, _) = gather(&self.library, &ranking.hits, &content, DOCUMENTS).await?;
        let examples = extract::examples(question, &sources, |tokens| self.library.rarity(tokens))?;
        Ok((sources, examples))
    }

    fn compose(&self, question: &str, sources: &[Source]) -> Result<Draft> {
        let mut draft = Draft::default();
        let Some(chosen) =
            extract::choose(question, sources, |tokens| self.library.rarity(tokens))?
        else {
            return Ok(draft);
        };
        let Some(said) = sources[chosen.source].text.at(&chosen.span) else {
            return Ok(draft);
        };
        // The words that answer are said; the sentences that they stand in are cited.
        let at = draft.cite(chosen.source, chosen.sentences);
        draft.segments.push((said.to_owned(), vec![at]));
        let best = sources
            .iter()
            .flat_map(|s| &s.found)
            .map(|f| f.score)
            .fold(0.0, f32::max);
        for (index, source) in sources.iter().enumerate().take(ANSWERED_FROM) {
            for clause in source
                .found
                .iter()
                .take(3)
                .filter(|c| c.score >= POINT_SCORE * best)
            {
                self.add_points(&mut draft, index, source, clause.ordinal);
            }
        }
        draft.points.truncate(POINTS);
        draft.points.sort_by_key(|(found, _)| found.kind);
        Self::see_also(&mut draft, sources);
        Ok(draft)
    }

    /// Has the model in use phrase the answer, if there is one. What it says is streamed sentence by sentence, each held
    /// against its evidence and the evidence against the store. Where nothing of it can be used, the answer stays as it was
    /// composed.
    async fn phrase(
        &self,
        context: &Context,
        recorder: &mut Recorder,
        question: &str,
        sources: &[Source],
        draft: Draft,
        on: Date,
    ) -> Result<(Draft, Option<String>)> {
        let (Some(model), false) = (self.models.chat(), draft.segments.is_empty()) else {
            return Ok((draft, None));
        };
        let start = recorder.elapsed();
        let pieces = phrase::pieces(sources, &draft.passages, model.card().site);
        let stored = self.stored(sources, &pieces).await;
        let mut said = Draft::default();
        let told = phrase::phrase(&model, question, sources, &pieces, |text, on_pieces| {
            if !guarding::may_be_said(text, sources, on_pieces) {
                return Ok(false);
            }
            let mut marks = Vec::new();
            for piece in on_pieces {
                let source = &sources[piece.source];
                let known = said.passages.len();
                let at = said.cite(piece.source, piece.span.clone());
                let citation = source.cite(at + 1, &piece.span, on);
                let stands = citation.filter(|c| {
                    let text = stored.get(&piece.source);
                    text.is_some_and(|t| t.confirms(&piece.span, &c.quote))
                });
                let Some(citation) = stands else {
                    said.passages.truncate(known);
                    return Ok(false);
                };
                if at >= known {
                    context.emit("citation", &citation)?;
                }
                marks.push(at);
            }
            let citations: Vec<usize> = marks.iter().map(|at| at + 1).collect();
            let text = text.to_owned();
            context.emit(
                "segment",
                &Segment {
                    text: text.clone(),
                    citations,
                },
            )?;
            said.segments.push((text, marks));
            Ok(true)
        })
        .await?;
        step(context, recorder, "phrase", "模型组织语言", start, &told)?;
        if said.segments.is_empty() {
            return Ok((draft, None));
        }
        // What was picked out without the model stands beside what it says.
        for (found, at) in draft.points {
            let (source, span) = draft.passages[at].clone();
            let at = said.cite(source, span);
            said.points.push((found, at));
        }
        for (source, span) in draft.passages {
            said.cite(source, span);
        }
        Ok((said, told.model.map(|m| m.name)))
    }

    /// The texts of pieces of evidence as the store has them now.
    async fn stored(&self, sources: &[Source], pieces: &[phrase::Piece]) -> HashMap<usize, Text> {
        let mut stored = HashMap::new();
        for piece in pieces {
            if let Entry::Vacant(unread) = stored.entry(piece.source)
                && let Ok(text) = self.library.text(&sources[piece.source].document).await
            {
                unread.insert(text);
            }
        }
        stored
    }

    /// Adds the best clause of each further document that speaks of the question as a whole, so that the reader can go on
    /// from there.
    fn see_also(draft: &mut Draft, sources: &[Source]) {
        let best = sources.iter().map(|s| s.score).fold(0.0, f32::max);
        for (index, source) in sources.iter().enumerate() {
            let cited = draft.passages.iter().any(|p| p.0 == index);
            if cited || source.score < SEE_ALSO * best {
                continue;
            }
            let mut clauses = source.found.iter().filter_map(|f| source.clause(f.ordinal));
            let Some(clause) = clauses.find(|c| c.kind != ClauseKind::Front) else {
                continue;
            };
            let text = source.text.at(&clause.span);
            let Some(text) = text.filter(|t| !knowledge::is_suspicious(t)) else {
                continue;
            };
            let sentences = lang::sentence::sentences(text);
            let sound = sentences.iter().find(|s| {
                s.len() > LEAST_SENTENCE && !knowledge::is_suspicious(&text[(*s).clone()])
            });
            if let Some(sentence) = sound {
                draft.cite(
                    index,
                    clause.span.start + sentence.start..clause.span.start + sentence.end,
                );
            }
        }
    }

    fn add_points(&self, draft: &mut Draft, index: usize, source: &Source, ordinal: usize) {
        let Some(clause) = source.clause(ordinal) else {
            return;
        };
        let Some(passage) = source.text.at(&clause.span) else {
            return;
        };
        if knowledge::is_suspicious(passage) {
            return;
        }
        for found in points::find(&clause.path, passage) {
            let span = clause.span.start + found.span.start..clause.span.start + found.span.end;
            let said = |p: &(usize, Range<usize>)| {
                p.0 == index && p.1.start <= span.start && span.end <= p.1.end
            };
            let repeated = draft
                .points
                .iter()
                .filter(|(f, _)| f.kind == found.kind)
                .count()
                >= 2;
            if repeated
                || draft.passages.iter().any(said)
                || knowledge::is_suspicious(&passage[found.span.clone()])
            {
                continue;
            }
            let at = draft.cite(index, span);
            draft.points.push((found, at));
        }
    }

    /// Reads every quote back from the store; what doesn't stand there any more is withheld.
    async fn check(&self, draft: Draft, sources: &[Source], on: Date) -> Result<(Reply, usize)> {
        let mut marks: Vec<Option<usize>> = Vec::new();
        let mut citations: Vec<Citation> = Vec::new();
        let mut stored = HashMap::new();
        for (source, span) in &draft.passages {
            let cited = sources[*source].cite(citations.len() + 1, span, on);
            if let Entry::Vacant(unread) = stored.entry(*source) {
                unread.insert(self.library.text(&sources[*source].document).await.ok());
            }
            let stands = match (&cited, &stored[source]) {
                (Some(c), Some(text)) => text.confirms(span, &c.quote),
                _ => false,
            };
            match cited.filter(|_| stands) {
                Some(citation) => {
                    marks.push(Some(citation.n));
                    citations.push(citation);
                }
                None => marks.push(None),
            }
        }
        let failed = marks.iter().filter(|m| m.is_none()).count();
        let mut reply = Reply {
            status: AnswerStatus::Answered,
            segments: Vec::new(),
            points: Vec::new(),
            citations,
            notices: Vec::new(),
            phrased_by: None,
            choices: Vec::new(),
            guide: None,
            offer: None,
        };
        for (text, on) in draft.segments {
            let stands: Option<Vec<usize>> = on.iter().map(|at| marks[*at]).collect();
            if let Some(citations) = stands {
                reply.segments.push(Segment { text, citations });
            }
        }
        if reply.segments.is_empty() {
            reply.status = AnswerStatus::Refused;
            reply.citations.clear();
            return Ok((reply, failed));
        }
        for (found, at) in draft.points {
            let Some(n) = marks[at] else { continue };
            let text = reply
                .citations
                .iter()
                .find(|c| c.n == n)
                .map(|c| c.quote.clone())
                .unwrap_or_default();
            reply.points.push(Point {
                kind: found.kind,
                label: found.kind.label().to_owned(),
                text,
                citation: n,
            });
        }
        Ok((reply, failed))
    }

    /// What will soon be in force, or no longer is, on the same matter.
    async fn changes(
        &self,
        question: &str,
        ranking: &Ranking,
        filter: Filter,
        on: Date,
    ) -> Result<Vec<String>> {
        let day = time::day_number(on);
        let mut notices = Vec::new();
        let best = ranking.hits.first().map_or(0.0, |h| h.score);
        let upcoming = Filter {
            in_force: None,
            upcoming_after: Some(day),
            ..filter
        };
        let later = self
            .library
            .rank(
                question,
                Search {
                    filter: upcoming,
                    limit: 1,
                },
            )
            .await?;
        if let Some(hit) = later.hits.first().filter(|h| h.score >= 0.8 * best) {
            let document = self.library.document(&hit.document).await?;
            if let Some(from) = document.effective_from {
                notices.push(format!(
                    "《{}》将于{}起施行，届时以新规定为准。",
                    document.title,
                    time::chinese(from)
                ));
            }
        }
        Ok(notices)
    }
}

pub(crate) fn step(
    context: &Context,
    recorder: &mut Recorder,
    name: &str,
    label: &str,
    start: f64,
    attributes: &impl Serialize,
) -> Result<()> {
    let span = recorder.span(name, label, start, attributes)?;
    context.emit(
        "step",
        &Step {
            step: name,
            label,
            ms: span.ms,
        },
    )
}

fn understood(ranking: &Ranking, on: Date) -> serde_json::Value {
    json!({
        "content": ranking.question.content,
        "expanded": ranking.question.expanded,
        "as_of": on.to_string(),
    })
}

/// The greatest share of the question that one of the documents an answer may come from holds.
fn support(sources: &[Source]) -> f32 {
    let answered_from = sources.iter().take(ANSWERED_FROM);
    answered_from.map(|s| s.coverage).fold(0.0, f32::max)
}

fn told(ranking: &Ranking, sources: &[Source], support: f32) -> serde_json::Value {
    let found = |s: &Source| {
        let clauses: Vec<_> = s
            .found
            .iter()
            .take(4)
            .map(|f| json!({"clause": f.ordinal, "score": f.score}))
            .collect();
        json!({"document": s.document.id, "title": s.document.title, "score": s.score, "support": s.coverage, "clauses": clauses})
    };
    json!({
        "ranked_by": if ranking.by_meaning { "words_and_meaning" } else { "words" },
        "by_words_because": ranking.by_words_because,
        "documents": sources.iter().map(found).collect::<Vec<_>>(),
        "support": support,
        "least_support": LEAST_SUPPORT,
    })
}

/// Emits what has not been emitted while it was phrased: all but the first `streamed` segments and their citations.
fn stream(context: &Context, reply: &Reply, streamed: usize) -> Result<()> {
    let before = reply.segments.iter().take(streamed);
    let mut sent = before
        .flat_map(|s| s.citations.iter().copied())
        .max()
        .unwrap_or(0);
    let mut cite = |marks: &[usize]| -> Result<()> {
        for citation in reply
            .citations
            .iter()
            .filter(|c| marks.contains(&c.n) && c.n > sent)
        {
            context.emit("citation", citation)?;
        }
        sent = sent.max(marks.iter().copied().max().unwrap_or(0));
        Ok(())
    };
    for segment in reply.segments.iter().skip(streamed) {
        cite(&segment.citations)?;
        context.emit("segment", segment)?;
    }
    for citation in &reply.citations {
        cite(&[citation.n])?;
    }
    for point in &reply.points {
        context.emit("point", point)?;
    }
    Ok(())
}

fn finish(
    reply: Reply,
    question: &str,
    session: &SessionRecord,
    turn: &str,
    recorder: &Recorder,
) -> Answer {
    let refused = reply.status == AnswerStatus::Refused;
    let answer = if refused {
        "没有在现有文件中找到依据，无法回答这个问题。您可以向下列渠道咨询。".to_owned()
    } else {
        reply
            .segments
            .iter()
            .map(|s| s.text.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    };
    Answer {
        status: reply.status,
        answer,
        segments: reply.segments,
        points: reply.points,
        citations: reply.citations,
        channels: if refused {
            refusal::channels(question)
        } else {
            Vec::new()
        },
        notices: reply.notices,
        phrased_by: reply.phrased_by,
        choices: reply.choices,
        guide: reply.guide,
        offer: reply.offer,
        intervention: None,
        session: session.id.clone(),
        turn: turn.to_owned(),
        trace: recorder.id().to_owned(),
        elapsed_ms: recorder.elapsed() as u64,
    }
}

struct Ask(Assistant);

impl Capability for Ask {
    type Input = AskInput;
    type Output = Answer;

    fn definition(&self) -> Definition {
        Definition::post("service.ask", "政务问答", "用日常语言提问，按本市文件回答，每句话附可打开的原文依据；没有依据时说明并给出咨询渠道。", "/ask").open_to(Permission::Public).without_effects().streaming()
    }

    async fn call(&self, context: &Context, input: AskInput) -> Result<Answer> {
        self.0.ask(context, input).await
    }
}
