//! Real laws in two wordings: on every day the one in force is found, and never the other.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::support::{Place, add, file, found, shared, status, unpack};
use citymind_knowledge::{Library, record::DocumentRecord};
use jiff::civil::Date;
use kernel::evidence::DocumentStatus;
use serde::Deserialize;

#[derive(Deserialize)]
struct Changed {
    article: String,
    old: String,
    new: String,
}

#[derive(Deserialize)]
struct Pair {
    law: String,
    old_date: String,
    new_date: String,
    changed: Vec<Changed>,
}

/// The wordings of all laws of the pairs, by path.
fn wordings(pairs: &[Pair], folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut out = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let law = name.split('(').next().unwrap();
            if pairs.iter().any(|pair| short(&pair.law) == law) {
                out.insert(name, path);
            }
        }
    }
    out
}

fn short(law: &str) -> String {
    law.replace("中华人民共和国", "")
}

/// A text without blanks and differences of width: what two printings of the same words share.
fn bare(text: &str) -> String {
    let text = lang::token::normalise(text);
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// What is asked for, and what must not be found.
struct Asked<'a> {
    day: Date,
    right: &'a DocumentRecord,
    /// The law's other wordings, that hold on other days.
    others: &'a [&'a DocumentRecord],
    law: &'a str,
    article: &'a str,
    text: &'a str,
}

async fn is_right(library: &Library, asked: &Asked<'_>, query: &str) -> bool {
    let hits = found(library, query, asked.day).await;
    let text = bare(asked.text);
    let right = hits.iter().any(|hit| {
        // A long article stands in several clauses.
        let said = bare(&hit.text);
        let said = said.strip_prefix(&bare(asked.article)).unwrap_or(&said);
        hit.document == asked.right.id
            && hit.status == DocumentStatus::Current
            && hit.path.contains(asked.article)
            && (text.contains(said) || said.contains(&text))
    });
    let wrong = hits
        .iter()
        .any(|hit| asked.others.iter().any(|other| hit.document == other.id));
    if !right || wrong {
        println!(
            "{} {} on {}: right {right}, other found {wrong}; {:?}",
            asked.law,
            asked.article,
            asked.day,
            hits.iter()
                .take(5)
                .map(|h| (&h.title, &h.path))
                .collect::<Vec<_>>()
        );
    }
    right && !wrong
}

/// A day on which the earlier of two wordings is in force, and one for the later.
fn days(pair: &Pair, old: &DocumentRecord, new: &DocumentRecord) -> (Date, Date) {
    let (old_date, new_date): (Date, Date) = (
        pair.old_date.parse().unwrap(),
        pair.new_date.parse().unwrap(),
    );
    (
        old_date.max(old.begins.unwrap()),
        new_date.max(new.begins.unwrap()),
    )
}

/// Takes the wordings in: the later ones first in some batches, the earlier in others.
async fn import(
    library: &Library,
    wordings: &BTreeMap<String, PathBuf>,
) -> BTreeMap<String, DocumentRecord> {
    let mut files: Vec<_> = wordings
        .iter()
        .map(|(name, path)| file(&format!("{name}.md"), std::fs::read(path).unwrap()))
        .collect();
    files.rotate_left(41);
    let mut documents: BTreeMap<String, DocumentRecord> = BTreeMap::new();
    while !files.is_empty() {
        let batch = files.split_off(files.len().saturating_sub(17));
        for outcome in add(library, batch).await {
            let name = outcome.document.path.trim_end_matches(".md").to_owned();
            documents.insert(name, outcome.document);
        }
    }
    documents
}

#[tokio::test]
async fn on_both_days_the_right_version_of_every_changed_article_is_found() {
    let (Some(pairs), Some(archive)) = (
        shared("data/zhida/law_version_pairs_dev.jsonl"),
        shared("data/zhida/laws_markdown.tar.gz"),
    ) else {
        return;
    };
    let pairs: Vec<Pair> = std::fs::read_to_string(pairs)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let unpacked = tempfile::tempdir().unwrap();
    unpack(&archive, unpacked.path());
    let wordings = wordings(&pairs, unpacked.path());
    let place = Place::new();
    let library = place.open().await;
    let documents = import(&library, &wordings).await;
    let (mut asked, mut right, mut same_day) = (0, 0, 0);
    for pair in &pairs {
        let of = |date: &str| &documents[&format!("{}({date})", short(&pair.law))];
        let (old, new) = (of(&pair.old_date), of(&pair.new_date));
        if old.begins == new.begins {
            // Printed twice: no wording follows the other, and no article says anything else.
            let differ = pair.changed.iter().any(|c| bare(&c.old) != bare(&c.new));
            assert!(!differ, "{}", pair.law);
            same_day += 1;
            continue;
        }
        let (day_old, day_new) = days(pair, old, new);
        let told = (
            status(&library, &old.id, day_old).await,
            status(&library, &new.id, day_old).await,
            status(&library, &old.id, day_new).await,
            status(&library, &new.id, day_new).await,
        );
        let wanted = (
            DocumentStatus::Current,
            DocumentStatus::Upcoming,
            DocumentStatus::Amended,
            DocumentStatus::Current,
        );
        assert_eq!(
            told, wanted,
            "{} {:?} {:?}: {day_old} {day_new}",
            pair.law, old.begins, new.begins
        );
        let others = |of: &DocumentRecord| -> Vec<&DocumentRecord> {
            let wordings = documents.values();
            wordings
                .filter(|d| d.law == of.law && d.begins != of.begins)
                .collect()
        };
        let (not_old, not_new) = (others(old), others(new));
        for changed in pair.changed.iter().filter(|c| bare(&c.old) != bare(&c.new)) {
            for (day, right_one, others, text) in [
                (day_old, old, &not_old, &changed.old),
                (day_new, new, &not_new, &changed.new),
            ] {
                let ask = Asked {
                    day,
                    right: right_one,
                    others,
                    law: &pair.law,
                    article: &changed.article,
                    text,
                };
                let head: String = text.chars().take(200).collect();
                let query = format!("{}{}{head}", pair.law, changed.article);
                asked += 1;
                right += usize::from(is_right(&library, &ask, &query).await);
            }
        }
    }
    println!(
        "{right} of {asked} right; {} pairs, {same_day} of them one wording printed twice",
        pairs.len()
    );
    assert!(asked > 1500, "{asked}");
    assert_eq!(right, asked);
}
