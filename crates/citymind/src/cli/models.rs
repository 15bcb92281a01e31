//! `citymind models`: what can be pulled, and pulling it, without a server or a data folder.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use engine_models::{Puller, Purpose, catalogue, catalogued};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Error, ErrorCode, Result};
use serde_json::json;

use super::{DataArgs, note, say};
use crate::{config::Config, models};

#[derive(Subcommand)]
pub(super) enum ModelsCommand {
    /// 列出可下载的模型和已下载的模型
    List(ListArgs),
    /// 下载模型（断点续传，核对 SHA-256）
    Pull(PullArgs),
    /// 重新核对已下载的模型
    Verify(NameArgs),
    /// 删除已下载的模型
    Remove(NameArgs),
}

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    data: DataArgs,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct PullArgs {
    /// 名称，见 citymind models list
    name: String,
    /// 从这个文件或文件夹取，不经网络
    #[arg(long)]
    from: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Args)]
pub(super) struct NameArgs {
    /// 名称，见 citymind models list
    name: String,
    #[command(flatten)]
    data: DataArgs,
}

pub(super) async fn run(command: ModelsCommand) -> Result<ExitCode> {
    match command {
        ModelsCommand::List(args) => list(&args.data.load()?, args.json)?,
        ModelsCommand::Pull(args) => pull(&args.data.load()?, &args.name, args.from).await?,
        ModelsCommand::Verify(args) => {
            let installed = args.data.load()?.models.folder()?.verify(&args.name)?;
            say(&format!("{} 完好：{}", installed.name, installed.sha256));
        }
        ModelsCommand::Remove(args) => {
            args.data.load()?.models.folder()?.remove(&args.name)?;
            say(&format!("已删除 {}。", args.name));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(config: &Config, as_json: bool) -> Result<()> {
    let folder = config.models.folder()?;
    let mut rows = Vec::new();
    for model in catalogue() {
        let installed = folder.find(&model.name)?;
        if as_json {
            rows.push(json!({"model": model, "installed": installed}));
            continue;
        }
        let purpose = match model.purpose {
            Purpose::Embedding => "向量",
            Purpose::Chat => "对话",
        };
        let state = if installed.is_some() {
            "已下载"
        } else {
            "未下载"
        };
        say(&format!(
            "{:<20} {purpose}  {:>5} MB  {state}  {}\n{:22}许可：{}\n{:22}{}",
            model.name,
            model.size.div_ceil(1_000_000),
            model.title,
            "",
            model.licence,
            "",
            model.notes,
        ));
    }
    if as_json {
        say(&serde_json::to_string_pretty(&rows).map_err(Error::internal)?);
    } else {
        say(&format!("\n模型目录：{}", folder.root().display()));
    }
    Ok(())
}

async fn pull(config: &Config, name: &str, from: Option<PathBuf>) -> Result<()> {
    let model = catalogued(name).ok_or_else(|| {
        Error::new(
            ErrorCode::InvalidInput,
            format!("没有名为“{name}”的模型。可用的名称见 citymind models list。"),
        )
    })?;
    let folder = config.models.folder()?;
    let bar = ProgressBar::new(1000);
    let style = ProgressStyle::with_template("{msg} {bar:32} {percent:>3} %  {elapsed}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    let shown = bar.clone();
    let progress = move |p: engine_models::Progress| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 1000
        shown.set_position((p.fraction() * 1000.0) as u64);
        shown.set_message(models::stage(&p));
    };
    let puller = Puller::new(folder.clone(), models::sources(&config.models, from));
    let pulled = tokio::select! {
        pulled = puller.pull(model, &progress) => pulled,
        _ = tokio::signal::ctrl_c() => Err(Error::new(
            ErrorCode::Cancelled,
            "已停止；再次运行会从断点继续。",
        )),
    };
    bar.finish_and_clear();
    let installed = pulled?;
    note(&format!("许可：{}", model.licence));
    say(&format!(
        "{name} 已就绪（{}），来自 {}。",
        folder.file(model).display(),
        installed.source
    ));
    Ok(())
}
