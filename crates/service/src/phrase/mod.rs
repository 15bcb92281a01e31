//! With a chat model: it phrases what the evidence says, and each of its sentences is held against that evidence before
//! anybody sees it.

mod reply;
mod support;

use std::{ops::Range, sync::Arc, time::Duration};

use documents::ClauseKind;
use futures_util::StreamExt;
use kernel::{
    Error, Result,
    models::{ChatEvent, ChatModel, ChatRequest, Message, ModelCard, Role, Site, Usage},
};
use serde::Serialize;

pub use support::{Unsupported, supported};

use crate::evidence::Source;
use reply::{Sentences, Written};

/// The instructions, with their version for the trace.
const INSTRUCTIONS: &str = include_str!("../../../../prompts/service/answer.md");

/// The version of the instructions; changes with them.
pub const PROMPT: &str = "service/answer@1";

/// What a model says when the evidence holds no answer.
const NOTHING: &str = "资料未提及";

/// Characters of evidence that a model is given: one in this process reads about 60 a second, an endpoint thousands.
const ROOM_LOCAL: usize = 500;
const ROOM_REMOTE: usize = 6000;

/// The longest piece of evidence in characters; of a longer clause, the sentences around what was found.
const LONGEST_PIECE: usize = 700;

/// A model is waited for so long, from the question to the last sentence.
const PATIENCE: Duration = Duration::from_secs(90);

/// The longest answer, in tokens.
const TOKENS: usize = 400;

/// A clause is given to the model if it scores at least this share of the best of its document.
const LEAST_SCORE: f32 = 0.35;

/// A piece of evidence: where it stands and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Which source.
    pub source: usize,
    /// Where in its text, in bytes.
    pub span: Range<usize>,
}

/// What became of a sentence of the model.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// As the model wrote it, without marks.
    pub text: String,
    /// The numbers of the pieces that it names.
    pub pieces: Vec<usize>,
    /// Why it was dropped, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Unsupported>,
}

/// What asking a model came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Phrased {
    /// Who wrote.
    pub model: Option<ModelCard>,
    /// The version of the instructions.
    pub prompt: &'static str,
    /// The evidence that it was given.
    pub given: Vec<String>,
    /// Its sentences.
    pub sentences: Vec<Judged>,
    /// It said that the evidence holds no answer.
    pub nothing: bool,
    /// Why it did not come to its end, in Chinese.
    pub failure: Option<String>,
    /// Tokens counted.
    pub usage: Option<Usage>,
}

/// The evidence that a model is given: what the answer without it was taken from first, then the best clauses found.
pub fn pieces(sources: &[Source], first: &[(usize, Range<usize>)], site: Site) -> Vec<Piece> {
    let mut room = match site {
        Site::Local => ROOM_LOCAL,
        Site::Remote => ROOM_REMOTE,
    };
    let mut pieces: Vec<Piece> = Vec::new();
    let mut take = |source: usize, span: Range<usize>| {
        let Some(text) = sources[source].text.at(&span) else {
            return;
        };
        let length = text.chars().count();
        let known =
            |p: &Piece| p.source == source && p.span.start < span.end && span.start < p.span.end;
        if length == 0
            || length > room
            || pieces.iter().any(known)
            || knowledge::is_suspicious(text)
        {
            return;
        }
        room -= length;
        pieces.push(Piece { source, span });
    };
    for (source, span) in first {
        let Some(ordinal) = sources[*source].clause_at(span.start) else {
            continue;
        };
        take(*source, piece_of(&sources[*source], ordinal, Some(span)));
    }
    for (index, source) in sources.iter().enumerate() {
        let best = source.found.first().map_or(0.0, |f| f.score);
        for found in source
            .found
            .iter()
            .filter(|f| f.score >= LEAST_SCORE * best)
        {
            let kind = source.clause(found.ordinal).map(|c| c.kind);
            if kind.is_some_and(|k| k != ClauseKind::Front) {
                take(index, piece_of(source, found.ordinal, None));
            }
        }
    }
    pieces
}

/// A clause, or where it is long the sentences around a span of it.
fn piece_of(source: &Source, ordinal: usize, around: Option<&Range<usize>>) -> Range<usize> {
    let Some(clause) = source.clause(ordinal) else {
        return around.cloned().unwrap_or_default();
    };
    let text = source.text.at(&clause.span).unwrap_or_default();
    if text.chars().count() <= LONGEST_PIECE {
        return clause.span.clone();
    }
    let at = around.map_or(0, |a| a.start.saturating_sub(clause.span.start));
    let (mut start, mut end, mut length) = (None, 0, 0);
    for sentence in lang::sentence::sentences(text) {
        if sentence.end <= at {
            continue;
        }
        let more = text[sentence.clone()].chars().count();
        if start.is_some() && length + more > LONGEST_PIECE {
            break;
        }
        start.get_or_insert(sentence.start);
        end = sentence.end;
        length += more;
    }
    let start = start.unwrap_or(0);
    clause.span.start + start..clause.span.start + end.max(start)
}

fn request(question: &str, given: &[String]) -> ChatRequest {
    let mut material = String::from("【资料】\n");
    for (n, text) in given.iter().enumerate() {
        material += &format!("〔{}〕{text}\n", n + 1);
    }
    material += &format!("\n【问题】\n{question}");
    let mut request = ChatRequest::new(vec![
        Message::new(Role::System, INSTRUCTIONS.trim()),
        Message::new(Role::User, material),
    ]);
    request.max_tokens = TOKENS;
    request
}

/// Has a model answer from pieces of evidence. `accept` is given each supported sentence with the pieces that it stands on,
/// as soon as it is written; what it refuses is dropped.
///
/// Whatever happens to the model, what was accepted before stands.
///
/// # Errors
/// What `accept` returns.
pub async fn phrase(
    model: &Arc<dyn ChatModel>,
    question: &str,
    sources: &[Source],
    pieces: &[Piece],
    mut accept: impl FnMut(&str, &[&Piece]) -> Result<bool>,
) -> Result<Phrased> {
    let texts: Vec<&str> = pieces
        .iter()
        .map(|p| sources[p.source].text.at(&p.span).unwrap_or_default())
        .collect();
    let given: Vec<String> = pieces
        .iter()
        .zip(&texts)
        .map(
            |(p, text)| match sources[p.source].document.title.as_str() {
                titled if titled.contains('《') => format!("{titled}：{text}"),
                title => format!("《{title}》{text}"),
            },
        )
        .collect();
    let mut told = Phrased {
        prompt: PROMPT,
        ..Phrased::default()
    };
    let request = request(question, &given);
    told.given = given;
    let mut judge = |written: Written, told: &mut Phrased| -> Result<()> {
        if written.text.contains(NOTHING) {
            told.nothing = true;
            return Ok(());
        }
        let judged = judge(written, &texts, question);
        let mut judged = judged;
        if judged.dropped.is_none() {
            let on: Vec<&Piece> = judged.pieces.iter().map(|n| &pieces[n - 1]).collect();
            if !accept(&judged.text, &on)? {
                judged.dropped = Some(Unsupported::Content("原文已变动".into()));
            }
        }
        told.sentences.push(judged);
        Ok(())
    };
    let answered = tokio::time::timeout(PATIENCE, async {
        let mut stream = model.chat(request).await?;
        let mut sentences = Sentences::default();
        while let Some(event) = stream.next().await {
            match event? {
                ChatEvent::Model(card) => told.model = Some(card),
                ChatEvent::Text(text) => {
                    for written in sentences.push(&text) {
                        judge(written, &mut told)?;
                    }
                }
                ChatEvent::ToolCall(_) => {}
                ChatEvent::Done { usage, .. } => told.usage = usage,
            }
        }
        for written in sentences.finish() {
            judge(written, &mut told)?;
        }
        Ok::<(), Error>(())
    });
    match answered.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) if error.code == kernel::ErrorCode::Cancelled => return Err(error),
        Ok(Err(error)) => {
            tracing::warn!(%error, detail = error.detail, "a model did not phrase an answer");
            told.failure = Some(error.message);
        }
        Err(_) => {
            told.failure = Some("模型在限定时间内没有写完。".into());
        }
    }
    if told.model.is_none() {
        told.model = Some(model.card());
    }
    Ok(told)
}

/// Holds a sentence against the pieces it names, and where it names none, against the one that supports it.
fn judge(written: Written, texts: &[&str], question: &str) -> Judged {
    let named: Vec<usize> = written
        .marks
        .into_iter()
        .filter(|n| (1..=texts.len()).contains(n))
        .collect();
    let against = |pieces: &[usize]| {
        let evidence: Vec<&str> = pieces.iter().map(|n| texts[n - 1]).collect();
        supported(&written.text, &evidence, question)
    };
    let mut verdict = if named.is_empty() {
        Err(Unsupported::Content(written.text.clone()))
    } else {
        against(&named)
    };
    let mut pieces = named;
    if verdict.is_err() {
        // A wrong or missing mark is mended if one piece by itself supports the sentence.
        if let Some(n) = (1..=texts.len()).find(|n| against(&[*n]).is_ok()) {
            pieces = vec![n];
            verdict = Ok(());
        }
    }
    // A sentence stands on as few pieces as support it.
    if verdict.is_ok()
        && pieces.len() > 1
        && let Some(n) = pieces.iter().copied().find(|n| against(&[*n]).is_ok())
    {
        pieces = vec![n];
    }
    Judged {
        text: written.text,
        pieces,
        dropped: verdict.err(),
    }
}
