//! The evaluation door: public formats in, raw answers out, over the very code paths of the product.

mod answers;
mod examples;
mod graded;
mod input;
mod items;
mod meaning;
mod report;
mod retrieval;
mod safety;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kernel::{Error, ErrorCode, Result};

use crate::models::Models;

#[derive(Subcommand)]
pub(crate) enum Suite {
    /// 用带标准答案的问题评测本系统，评分并保留历史
    Run(graded::RunArgs),
    /// 检索：每个问题给出 100 个条目
    Retrieval(CorpusArgs),
    /// 问答：每个问题给出答案和逐字依据
    Answers(CorpusArgs),
    /// 安全：每段文字给出处置和类别
    Safety(safety::SafetyArgs),
    /// 事项识别：每个问题给出最可能的事项，或不属于任何事项
    Items(items::ItemsArgs),
}

#[derive(Args)]
pub(crate) struct CorpusArgs {
    /// 语料 {_id,title,text}，JSON 行，可为 .gz
    #[arg(long)]
    corpus: PathBuf,
    /// 问题 {_id,text}，JSON 行，可为 .gz
    #[arg(long)]
    queries: PathBuf,
    /// 原始答案写到这里
    #[arg(long)]
    out: PathBuf,
    /// 供学习的已确认问题 {_id,text}，与 --train-qrels 一起（仅 retrieval）
    #[arg(long)]
    train_queries: Option<PathBuf>,
    /// 已确认的对应：query-id、corpus-id、score，以制表符分隔，首行为列名
    #[arg(long)]
    train_qrels: Option<PathBuf>,
    /// 语言模型：none 或名称
    #[arg(long, default_value = "none")]
    model: String,
    /// 向量模型：none、default（已下载时用默认模型）或名称
    #[arg(long, default_value = "default")]
    embedder: String,
    /// 并行线程数
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// 把算好的向量留在此目录，供下次使用
    #[arg(long)]
    cache: Option<PathBuf>,
    /// 把用时和内存以 JSON 输出到标准输出
    #[arg(long)]
    json: bool,
    /// 另把每个问题的候选片段及其特征写到此目录，供训练抽取模型（仅 answers）
    #[arg(long)]
    examples: Option<PathBuf>,
}

pub(crate) async fn run(suite: Suite) -> Result<()> {
    match suite {
        Suite::Run(args) => graded::run(args).await,
        Suite::Retrieval(args) => {
            args.check()?;
            retrieval::run(&args).await
        }
        Suite::Answers(args) => {
            args.check()?;
            answers::run(&args).await
        }
        Suite::Safety(args) => safety::run(&args),
        Suite::Items(args) => items::run(&args).await,
    }
}

impl CorpusArgs {
    fn check(&self) -> Result<()> {
        usable(&self.model, self.threads)
    }
}

/// What every suite asks of these two.
fn usable(model: &str, threads: usize) -> Result<()> {
    if model != "none" && Models::default().folder()?.find(model)?.is_none() {
        let message =
            format!("--model {model}：没有这个模型，或还没有下载；见 citymind models list。");
        return Err(Error::new(ErrorCode::InvalidInput, message));
    }
    if threads == 0 {
        return Err(Error::new(ErrorCode::InvalidInput, "--threads 至少为 1。"));
    }
    Ok(())
}
