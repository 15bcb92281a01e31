//! The suite `items`: which service item a question means.

use std::{path::PathBuf, time::Instant};

use clap::{Args, ValueEnum};
use kernel::{Error, ErrorCode, Result, models::EmbedAs};
use serde::Deserialize;
use serde_json::json;
use service::{
    intents::{Intent, ItemWords, Likely, Reading, Recogniser, keyword::Keywords},
    items::catalogue::read_files,
};

use super::{
    input::all,
    meaning::embedder,
    report::{AnswerFile, Clock},
};
use crate::demo;

/// Sayings embedded at a time.
const AT_ONCE: usize = 64;

#[derive(Args)]
pub(crate) struct ItemsArgs {
    /// 用演示城市的事项目录
    #[arg(long)]
    demo: bool,
    /// 问题 {id,question}，JSON 行，可为 .gz
    #[arg(long)]
    queries: PathBuf,
    /// 原始答案写到这里
    #[arg(long)]
    out: PathBuf,
    /// 用来对比的做法，代替本系统
    #[arg(long)]
    baseline: Option<Baseline>,
    /// 语言模型；识别事项不用语言模型
    #[arg(long, default_value = "none")]
    model: String,
    /// 向量模型：none、default（已下载时用默认模型）或名称
    #[arg(long, default_value = "default")]
    embedder: String,
    /// 并行线程数
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// 各套件共用的参数；这里要算的向量少，不保留
    #[arg(long)]
    #[allow(dead_code)]
    cache: Option<PathBuf>,
    /// 把用时和内存以 JSON 输出到标准输出
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Baseline {
    /// 关键词匹配
    Keyword,
}

#[derive(Deserialize)]
struct Question {
    id: serde_json::Value,
    question: String,
}

pub(super) async fn run(args: &ItemsArgs) -> Result<()> {
    if !args.demo {
        let message = "请加 --demo：目前只有演示城市带有事项目录。";
        return Err(Error::new(ErrorCode::InvalidInput, message));
    }
    super::usable(&args.model, args.threads)?;
    let items = demo_items();
    let questions: Vec<Question> = all(&args.queries)?;
    let mut out = AnswerFile::create(&args.out)?;
    if matches!(args.baseline, Some(Baseline::Keyword)) {
        let keywords = Keywords::new(&items);
        let mut clock = Clock::new(questions.len());
        for asked in &questions {
            let start = Instant::now();
            let found = keywords.items(&asked.question);
            clock.item(start.elapsed());
            let status = if found.is_empty() { "out" } else { "item" };
            out.line(&json!({"id": asked.id, "status": status, "items": found}).to_string())?;
        }
        out.finish()?;
        clock.report(args.json, &[]);
        return Ok(());
    }

    let start = Instant::now();
    let mut recogniser = Recogniser::new(&items);
    let learned = start.elapsed().as_secs_f64();
    let embedder = embedder(&args.embedder, args.threads)?;
    if let Some(embedder) = &embedder {
        let sayings: Vec<String> = recogniser.sayings().map(str::to_owned).collect();
        let mut vectors = Vec::with_capacity(sayings.len());
        for some in sayings.chunks(AT_ONCE) {
            vectors.extend(embedder.embed(some.to_vec(), EmbedAs::Query).await?);
        }
        recogniser.learn_meaning(vectors);
    }
    let embedded = start.elapsed().as_secs_f64() - learned;
    let mut clock = Clock::new(questions.len());
    for asked in &questions {
        let start = Instant::now();
        let vector = match &embedder {
            Some(embedder) => {
                let texts = vec![recogniser.plain(&asked.question)];
                embedder.embed(texts, EmbedAs::Query).await?.pop()
            }
            None => None,
        };
        let reading = recogniser.recognise_with(&asked.question, vector.as_deref());
        clock.item(start.elapsed());
        out.line(&answer(asked, &reading).to_string())?;
    }
    out.finish()?;
    clock.report(
        args.json,
        &[("learn_seconds", learned), ("embed_seconds", embedded)],
    );
    Ok(())
}

fn answer(asked: &Question, reading: &Reading) -> serde_json::Value {
    let status = match reading.intent {
        Intent::Item | Intent::Policy if reading.close => "clarify",
        Intent::Item | Intent::Policy => "item",
        _ => "out",
    };
    let names = |item: &Likely| item.name.clone();
    let shares = |item: &Likely| (f64::from(item.probability) * 1e4).round() / 1e4;
    json!({
        "id": asked.id,
        "status": status,
        "items": reading.items.iter().map(names).collect::<Vec<_>>(),
        "probabilities": reading.items.iter().map(shares).collect::<Vec<_>>(),
        "intent": format!("{:?}", reading.intent),
        "certainty": (f64::from(reading.certainty) * 1e4).round() / 1e4,
    })
}

/// The words of the demonstration city's items. A file that cannot be read is no item in the product either.
fn demo_items() -> Vec<ItemWords> {
    read_files(&demo::item_files())
        .into_iter()
        .filter_map(|(_, read)| read.ok())
        .map(|(item, _)| ItemWords::from(&item))
        .collect()
}
