//! Real texts, where they lie beside the project: 3,504 statutes and 599 notices on one line.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};

use citymind_documents::{ClauseKind, Document, Limits, read};
use common::{check, render};
use kernel::ErrorCode;

/// The folder of data beside the project.
fn data(path: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = own
        .ancestors()
        .map(|up| up.join("shared/data").join(path))
        .find(|path| path.exists());
    if found.is_none() {
        println!("skipped: shared/data/{path} is not beside the project");
    }
    found
}

/// Files of a tar archive: name and content.
fn untar(bytes: &[u8]) -> Vec<(String, &[u8])> {
    let mut files = Vec::new();
    let mut long: Option<String> = None;
    let mut at = 0;
    while at + 512 <= bytes.len() && bytes[at] != 0 {
        let head = &bytes[at..at + 512];
        let word = |range: std::ops::Range<usize>| {
            let raw = &head[range];
            String::from_utf8_lossy(&raw[..raw.iter().position(|b| *b == 0).unwrap_or(raw.len())])
                .into_owned()
        };
        let size = usize::from_str_radix(word(124..136).trim(), 8).unwrap();
        let content = &bytes[at + 512..at + 512 + size];
        match head[156] {
            b'L' => {
                long = Some(
                    String::from_utf8_lossy(content)
                        .trim_end_matches('\0')
                        .to_owned(),
                )
            }
            b'0' | 0 => {
                let prefix = word(345..500);
                let short = if prefix.is_empty() {
                    word(0..100)
                } else {
                    format!("{prefix}/{}", word(0..100))
                };
                files.push((long.take().unwrap_or(short), content));
            }
            b'x' => {
                let text = String::from_utf8_lossy(content);
                long = text
                    .lines()
                    .find_map(|line| line.split_once(" path=").map(|(_, path)| path.to_owned()))
                    .or(long);
            }
            _ => long = None,
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    files
}

fn fingerprint(document: &Document) -> u64 {
    let mut hasher = DefaultHasher::new();
    document.text.hash(&mut hasher);
    render(document).hash(&mut hasher);
    hasher.finish()
}

fn article(label: &str) -> Option<u64> {
    let number = label.strip_prefix('第')?.split('条').next()?;
    lang::numeral::integer(number)
}

/// The statutes: name and content.
fn statutes(tar: &mut Vec<u8>) -> Option<Vec<(String, &[u8])>> {
    let path = data("zhida/laws_markdown.tar.gz")?;
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_end(tar)
        .unwrap();
    let files: Vec<(String, &[u8])> = untar(tar)
        .into_iter()
        .filter(|(name, _)| name.ends_with(".md"))
        .collect();
    assert_eq!(files.len(), 3_504);
    Some(files)
}

#[test]
fn takes_the_day_of_each_version_from_its_name() {
    let mut tar = Vec::new();
    let Some(files) = statutes(&mut tar) else {
        return;
    };
    let (mut dated, mut exact, mut late, mut early, mut relations) = (0, 0, 0, 0, 0);
    for (name, bytes) in files {
        let Ok(document) = read(&name, bytes, &Limits::default()) else {
            continue;
        };
        let said = document.metadata;
        relations += said.relations.len();
        let stem = name.trim_end_matches(".md").trim_end_matches(')');
        let Some(day) = stem.rsplit('(').next().and_then(|day| day.parse().ok()) else {
            continue;
        };
        dated += 1;
        exact += usize::from(said.issued == Some(day));
        late += usize::from(said.issued > Some(day));
        // A wording does not hold before it was made known.
        let before = said
            .effective_from
            .is_some_and(|from| Some(from) < said.issued);
        early += usize::from(before);
    }
    println!(
        "{dated} with a day in their name: {exact} have it, {late} tell of a later one; {early} hold before they were issued; {relations} relations"
    );
    assert!(
        exact + late >= dated - 1 && late * 50 <= dated && early <= 5,
        "{exact} and {late} of {dated}, {early} early"
    );
}

#[test]
fn reads_every_statute_and_finds_its_articles() {
    let mut tar = Vec::new();
    let Some(files) = statutes(&mut tar) else {
        return;
    };
    let limits = Limits::default();
    let start = std::time::Instant::now();
    let read_all = || {
        files
            .iter()
            .map(|(name, bytes)| (name, read(name, bytes, &limits)))
            .collect::<Vec<_>>()
    };
    let documents = read_all();
    let took = start.elapsed();
    let again = read_all();
    let (mut empty, mut statutes, mut with_articles, mut articles, mut steps, mut contiguous) =
        (0, 0, 0, 0, 0, 0);
    for (index, ((name, document), (_, second))) in documents.iter().zip(&again).enumerate() {
        let document = match document {
            Ok(document) => document,
            Err(error) => {
                assert_eq!(error.code, ErrorCode::EmptyDocument, "{name}: {error}");
                assert!(files[index].1.len() < 400, "{name} holds text");
                empty += 1;
                continue;
            }
        };
        check(document).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(
            fingerprint(document),
            fingerprint(second.as_ref().unwrap()),
            "{name}"
        );
        let found: Vec<u64> = document
            .clauses
            .iter()
            .filter(|c| c.kind == ClauseKind::Article)
            .filter_map(|c| article(&c.label))
            .collect();
        if document
            .text
            .lines()
            .any(|line| line.trim_start().starts_with("第一条"))
        {
            statutes += 1;
            with_articles += usize::from(!found.is_empty());
        }
        articles += found.len();
        steps += found.len().saturating_sub(1);
        contiguous += found
            .windows(2)
            .filter(|pair| pair[1] == pair[0] + 1 || pair[1] == pair[0])
            .count();
    }
    println!(
        "{} files in {took:?}, {empty} without text, {articles} articles, {with_articles}/{statutes} statutes with articles, {contiguous}/{steps} contiguous",
        files.len()
    );
    assert!(empty <= 40, "{empty} files without text");
    assert!(
        with_articles * 100 >= statutes * 98,
        "{with_articles} of {statutes}"
    );
    assert!(contiguous * 1000 >= steps * 995, "{contiguous} of {steps}");
}

/// Texts of `corpus.jsonl`, without a JSON reader: the value of the last key, unescaped.
fn texts(lines: &str) -> Vec<String> {
    lines
        .lines()
        .map(|line| {
            let raw = &line[line.find("\"text\": \"").unwrap() + 9..line.len() - 2];
            raw.replace("\\\"", "\"")
                .replace("\\n", "\n")
                .replace("\\t", "\t")
                .replace("\\\\", "\\")
        })
        .collect()
}

#[test]
fn cuts_notices_on_one_line_into_clauses_of_a_useful_size() {
    let Some(path) = data("zhida/ncp/corpus.jsonl") else {
        return;
    };
    let texts = texts(&std::fs::read_to_string(path).unwrap());
    assert_eq!(texts.len(), 599);
    let mut sizes = Vec::new();
    for text in &texts {
        let document = read("a.txt", text.as_bytes(), &Limits::default()).unwrap();
        check(&document).unwrap();
        sizes.extend(
            document
                .clauses
                .iter()
                .map(|c| document.text[c.span.clone()].chars().count()),
        );
    }
    sizes.sort_unstable();
    let (median, most) = (sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
    println!("{} clauses, median {median}, most {most}", sizes.len());
    assert!(
        (150..=500).contains(&median) && most <= 2_100,
        "median {median}, most {most}"
    );
}
