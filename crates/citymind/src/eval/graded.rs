//! `citymind eval run`: a set of golden questions put to the product, graded, and kept.

use std::path::{Path, PathBuf};

use clap::Args;
use kernel::{Error, ErrorCode, Result};
use serde_json::{Value, json};

use super::input::all;
use crate::cli::{DataArgs, client::worker, say};

/// The demonstration city's own questions.
const DEMO: [&str; 5] = [
    include_str!("../../../../evals/demo/policy.jsonl"),
    include_str!("../../../../evals/demo/guide.jsonl"),
    include_str!("../../../../evals/demo/walkthrough.jsonl"),
    include_str!("../../../../evals/demo/faq.jsonl"),
    include_str!("../../../../evals/demo/primer.jsonl"),
];

#[derive(Args)]
pub(crate) struct RunArgs {
    /// demo，或问题文件 {id,question,kind,gold,must}，JSON 行，可为 .gz，可为文件夹
    set: String,
    #[command(flatten)]
    data: DataArgs,
    /// 以 JSON 输出，含逐题明细
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: RunArgs) -> Result<()> {
    let questions = questions(&args.set)?;
    let worker = worker(&args.data).await?;
    let input = json!({"set": args.set, "questions": questions});
    let run = worker.call("evaluation.run", input).await?;
    if args.json {
        say(&serde_json::to_string_pretty(&run).map_err(Error::internal)?);
        return Ok(());
    }
    say(&format!(
        "{:<14}{:>5}{:>6}{:>6}{:>6}{:>5}{:>6}",
        "", "有依据", "已答", "文件正确", "要点齐全", "无依据", "拒答"
    ));
    let line = |name: &str, f: &Value| {
        let n = |name: &str| f[name].as_u64().unwrap_or_default();
        say(&format!(
            "{name:<14}{:>8}{:>8}{:>10}{:>10}{:>8}{:>8}",
            n("answerable"),
            n("answered"),
            n("right_document"),
            n("holds_facts"),
            n("unanswerable"),
            n("refused")
        ));
    };
    for (name, figures) in run["groups"].as_object().into_iter().flatten() {
        line(name, figures);
    }
    line("all", &run["figures"]);
    let list = |name: &str| -> Vec<&str> {
        let ids = run[name].as_array();
        ids.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    };
    let (worse, better) = (list("worse"), list("better"));
    say(&format!(
        "较上次变差 {} 题{}，变好 {} 题。用时 {:.1} 秒，编号 {}。",
        worse.len(),
        if worse.is_empty() {
            String::new()
        } else {
            format!("（{}）", worse.join("、"))
        },
        better.len(),
        run["seconds"].as_f64().unwrap_or_default(),
        run["id"].as_str().unwrap_or_default()
    ));
    Ok(())
}

fn questions(set: &str) -> Result<Vec<Value>> {
    if set == "demo" {
        let lines = DEMO.iter().flat_map(|text| text.lines());
        return lines
            .map(|l| serde_json::from_str(l).map_err(Error::internal))
            .collect();
    }
    let path = Path::new(set);
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|e| unreadable(path, &e))?;
        files = entries
            .filter_map(|e| e.ok().map(|e| e.path()))
            .filter(|p| p.to_string_lossy().contains(".jsonl"))
            .collect::<Vec<PathBuf>>();
        files.sort();
    }
    let mut questions = Vec::new();
    for file in &files {
        questions.extend(all::<Value>(file)?);
    }
    Ok(questions)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let message = format!("不能读取 {}：{error}。", path.display());
    Error::new(ErrorCode::InvalidInput, message)
}
