//! The suite `retrieval`: each entry of the corpus is one passage.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    time::Instant,
};

use engine_search::TantivyIndex;
use kernel::{
    Error, ErrorCode, Result,
    lexical::{Attributes, Change, Filter, LexicalIndex, Passage},
};
use knowledge::retrieval::{
    self, CHARACTER_WEIGHT, Dense, Question, Scope,
    learned::{self, Key, Pair},
    tokens,
};

use super::{
    CorpusArgs,
    input::{Asked, Entry, all, each, rows},
    meaning::Meaning,
    report::{AnswerFile, Clock},
};

/// Results for each question.
const RESULTS: usize = 100;

/// Entries handed to the index at a time.
const BATCH: usize = 1 << 16;

pub(super) async fn run(args: &CorpusArgs) -> Result<()> {
    let start = Instant::now();
    let meaning = Meaning::open(args)?;
    let mut texts = Vec::new();
    let (index, scopes) = indexed(&args.corpus, &mut |entry| {
        if meaning.is_some() {
            let text = tokens::to_embed(&entry.title, &[], &entry.text);
            texts.push((entry.id.clone(), text));
        }
    })?;
    let indexed = start.elapsed().as_secs_f64();
    if let Some(meaning) = &meaning {
        meaning.learn(texts).await?;
    }
    let embedded = start.elapsed().as_secs_f64() - indexed;
    let learned = match (&args.train_queries, &args.train_qrels) {
        (Some(queries), Some(qrels)) => {
            let model = learned::train(pairs(queries, qrels)?, &index)?;
            Some(model.ready())
        }
        (None, None) => None,
        _ => {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "--train-queries 和 --train-qrels 要一起给出。",
            ));
        }
    };
    let trained = start.elapsed().as_secs_f64() - indexed - embedded;

    let questions: Vec<Asked> = all(&args.queries)?;
    let mut out = AnswerFile::create(&args.out)?;
    let mut clock = Clock::new(questions.len());
    for asked in &questions {
        let start = Instant::now();
        let vector = match &meaning {
            Some(meaning) => Some(meaning.question(&asked.text).await?),
            None => None,
        };
        let dense = meaning.as_ref().zip(vector.as_deref());
        let dense = dense.map(|(meaning, vector)| Dense {
            index: &meaning.vectors,
            vector,
        });
        let question = Question::new(&asked.text, CHARACTER_WEIGHT);
        let ranking = retrieval::rank(
            &index,
            dense,
            &scopes,
            learned.as_ref(),
            question,
            Filter::default(),
            RESULTS,
        )?;
        clock.item(start.elapsed());
        for (rank, hit) in ranking.hits.iter().enumerate() {
            out.line(&format!(
                "{}\t{}\t{}\t{}",
                asked.id,
                hit.document,
                rank + 1,
                hit.score
            ))?;
        }
    }
    out.finish()?;
    clock.report(
        args.json,
        &[
            ("index_seconds", indexed),
            ("embed_seconds", embedded),
            ("train_seconds", trained),
        ],
    );
    Ok(())
}

/// Reads a corpus into an index, with what the titles of statutes say. `visit` sees each entry.
fn indexed(
    corpus: &Path,
    visit: &mut dyn FnMut(&Entry),
) -> Result<(TantivyIndex, HashMap<String, Scope>)> {
    let index = TantivyIndex::in_memory()?;
    let mut scopes = HashMap::new();
    let (mut changes, mut revision) = (Vec::new(), 0);
    each(corpus, |entry: Entry| {
        if is_statute(&entry.title) {
            scopes.insert(entry.id.clone(), Scope::of(&entry.title));
        }
        visit(&entry);
        let passage = Passage {
            clause: 0,
            tokens: [
                tokens::of_title(&entry.title, &[]),
                tokens::of_text(&entry.text),
            ],
        };
        changes.push(Change::Replace {
            document: entry.id,
            attributes: Attributes::default(),
            passages: vec![passage],
        });
        if changes.len() == BATCH {
            revision += 1;
            index.apply(std::mem::take(&mut changes), revision)?;
        }
        Ok(())
    })?;
    index.apply(changes, revision + 1)?;
    Ok((index, scopes))
}

/// Confirmed pairs: questions, and which entries answer them.
fn pairs(queries: &Path, qrels: &Path) -> Result<Vec<Pair>> {
    let questions: Vec<Asked> = all(queries)?;
    let texts: BTreeMap<String, String> = questions.into_iter().map(|q| (q.id, q.text)).collect();
    let mut pairs = Vec::new();
    rows(qrels, |number, cells| {
        let [query, entry, score] = cells else {
            let message = format!("{} 第 {number} 行不是三列。", qrels.display());
            return Err(Error::new(ErrorCode::InvalidInput, message));
        };
        // The first line names the columns. An entry judged irrelevant confirms nothing.
        let score: f32 = score.trim().parse().unwrap_or(0.0);
        let question = texts.get(*query).filter(|_| score > 0.0);
        pairs.extend(question.map(|text| Pair {
            question: text.clone(),
            passage: Key {
                document: (*entry).to_owned(),
                clause: 0,
            },
            weight: 1.0,
        }));
        Ok(())
    })?;
    Ok(pairs)
}

/// Whether a title names an article of a statute.
fn is_statute(title: &str) -> bool {
    title.ends_with('条')
        || title
            .rsplit_once("条之")
            .is_some_and(|(law, rest)| law.contains('第') && rest.chars().count() <= 3)
}

#[cfg(test)]
mod tests;
