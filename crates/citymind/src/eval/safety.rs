//! The suite `safety`: what is done with each text.

use std::{path::PathBuf, time::Instant};

use clap::Args;
use kernel::Result;
use platform::safety::{Action, Place, Verdict, check, reply};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    input::all,
    report::{AnswerFile, Clock},
    usable,
};

#[derive(Args)]
pub(crate) struct SafetyArgs {
    /// 文字 {id,text,where}，JSON 行，可为 .gz；where 为 user、document 或 output
    #[arg(long = "in")]
    input: PathBuf,
    /// 原始结果写到这里
    #[arg(long)]
    out: PathBuf,
    /// 不用语言模型；与其他评测保持一致
    #[arg(long, default_value = "none")]
    model: String,
    /// 不用向量模型；与其他评测保持一致
    #[arg(long, default_value = "none")]
    #[allow(dead_code, reason = "the suites share their flags")]
    embedder: String,
    /// 并行线程数
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// 不缓存；与其他评测保持一致
    #[arg(long)]
    #[allow(dead_code, reason = "the suites share their flags")]
    cache: Option<PathBuf>,
    /// 把用时和内存以 JSON 输出到标准输出
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Row {
    id: Value,
    text: String,
    #[serde(default = "user", rename = "where")]
    place: Place,
}

fn user() -> Place {
    Place::User
}

pub(super) fn run(args: &SafetyArgs) -> Result<()> {
    usable(&args.model, args.threads)?;
    let rows: Vec<Row> = all(&args.input)?;
    let mut out = AnswerFile::create(&args.out)?;
    let mut clock = Clock::new(rows.len());
    // The rules are read once, before the clock runs.
    check(Place::User, "");
    for row in &rows {
        let start = Instant::now();
        let verdict = check(row.place, &row.text);
        clock.item(start.elapsed());
        let Verdict {
            action,
            kinds,
            text,
        } = verdict;
        let said = if action > Action::Mask {
            reply(&kinds)
        } else {
            &text
        };
        let line = json!({"id": row.id, "action": action, "kinds": kinds, "text": said});
        out.line(&line.to_string())?;
    }
    out.finish()?;
    clock.report(args.json, &[]);
    Ok(())
}
