//! The suite `answers`: the corpus is imported into a temporary data folder, then asked as a citizen would.

use std::{collections::HashMap, ops::Range, time::Instant};

use kernel::{Error, Result, capability::Context, time};
use knowledge::Incoming;
use platform::{answer::AnswerStatus, trace::Recorder};
use serde_json::json;

use super::{
    CorpusArgs,
    examples::ExampleFolder,
    input::{Asked, Entry, all},
    meaning,
    report::{AnswerFile, Clock},
};
use crate::{config::Config, wiring::App};

/// Documents imported at a time.
const BATCH: usize = 64;

pub(super) async fn run(args: &CorpusArgs) -> Result<()> {
    let folder = tempfile::tempdir().map_err(Error::internal)?;
    let mut config = Config::default();
    config.models.embedder = match args.embedder.as_str() {
        "default" => "auto".to_owned(),
        name => name.to_owned(),
    };
    config.models.threads = args.threads;
    config.models.chat = vec![args.model.clone()];
    let app = App::open_for_evaluation(folder.path(), config, args.cache.as_deref()).await?;
    let corpus: Vec<Entry> = all(&args.corpus)?;
    let start = Instant::now();
    let mut texts: HashMap<String, &Entry> = HashMap::new();
    import(&app, &corpus, &mut texts).await?;
    let imported = start.elapsed().as_secs_f64();
    meaning::embed_all(&app.library).await?;
    let embedded = start.elapsed().as_secs_f64() - imported;

    let questions: Vec<Asked> = all(&args.queries)?;
    let mut out = AnswerFile::create(&args.out)?;
    let mut examples = args
        .examples
        .as_deref()
        .map(ExampleFolder::create)
        .transpose()?;
    let mut clock = Clock::new(questions.len());
    for asked in &questions {
        let start = Instant::now();
        let mut recorder = Recorder::new("", &asked.text);
        let reply = app
            .assistant
            .reply(
                &Context::default(),
                &mut recorder,
                &asked.text,
                None,
                time::today(),
            )
            .await?;
        clock.item(start.elapsed());
        if let Some(folder) = &mut examples {
            let (sources, spans) = app.assistant.examples(&asked.text, time::today()).await?;
            folder.add(&asked.id, &sources, &spans)?;
        }
        let mut citations = Vec::new();
        for c in &reply.citations {
            let Some(entry) = texts.get(&c.document) else {
                continue;
            };
            let original: Vec<char> = entry.text.chars().collect();
            let document = app.library.document(&c.document).await?;
            let text = app.library.text(&document).await?;
            if let Some(at) = in_original(text.as_str(), &original, c.start..c.end) {
                let quote: String = original[at.clone()].iter().collect();
                citations.push(
                    json!({"doc": entry.id, "start": at.start, "end": at.end, "quote": quote}),
                );
            }
        }
        let answered = reply.status == AnswerStatus::Answered;
        let answer: Vec<&str> = reply.segments.iter().map(|s| s.text.as_str()).collect();
        out.line(
            &json!({
                "qid": asked.id,
                "status": if answered { "answered" } else { "refused" },
                "answer": answer.join("\n"),
                "citations": citations,
            })
            .to_string(),
        )?;
    }
    out.finish()?;
    examples.map(ExampleFolder::finish).transpose()?;
    clock.report(
        args.json,
        &[("import_seconds", imported), ("embed_seconds", embedded)],
    );
    Ok(())
}

async fn import<'a>(
    app: &App,
    corpus: &'a [Entry],
    texts: &mut HashMap<String, &'a Entry>,
) -> Result<()> {
    for entries in corpus.chunks(BATCH) {
        let files = entries.iter().map(|e| Incoming {
            space: "评测".into(),
            path: format!("{}.txt", e.id),
            bytes: e.text.clone().into_bytes(),
            title: Some(e.title.clone()).filter(|t| !t.is_empty()),
        });
        let outcomes = app
            .library
            .add(files.collect(), &mut |_| Ok(Vec::new()))
            .await?;
        for (entry, outcome) in entries.iter().zip(outcomes) {
            match outcome {
                Ok(outcome) => drop(texts.insert(outcome.document.id, entry)),
                Err(error) => tracing::warn!(entry = entry.id, %error, "not imported"),
            }
        }
    }
    Ok(())
}

/// Where a span of the canonical text stands in the original, in characters. Reading a file only drops characters and
/// makes blanks uniform, so the canonical text is found in the original in order.
fn in_original(canonical: &str, original: &[char], span: Range<usize>) -> Option<Range<usize>> {
    let mut at = 0;
    let (mut start, mut end) = (None, None);
    for (place, c) in canonical.chars().enumerate() {
        if place >= span.end {
            break;
        }
        let fits = |o: char| o == c || (c.is_whitespace() && (o.is_whitespace() || o.is_control()));
        let found = original[at..].iter().position(|o| fits(*o));
        match found {
            Some(skipped) => {
                at += skipped;
                if place >= span.start {
                    start.get_or_insert(at);
                    end = Some(at + 1);
                }
                at += 1;
            }
            // A line break that reading put between paragraphs.
            None if c.is_whitespace() => {}
            None => return None,
        }
    }
    Some(start?..end?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_found_where_reading_dropped_characters() {
        let original: Vec<char> = "甲\u{200b}乙\u{3000}丙丁".chars().collect();
        assert_eq!(in_original("甲乙 丙丁", &original, 1..4), Some(2..5));
        assert_eq!(in_original("甲戊", &original, 0..2), None);
    }
}
