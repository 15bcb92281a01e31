//! `citymind audit`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use futures_util::StreamExt;
use kernel::{Error, ErrorCode, Result};
use platform::audit::{Verdict, verify_lines};
use serde_json::json;

use super::{
    DataArgs,
    client::{Server, Worker, context, worker},
    note, say,
};
use crate::http::doors;

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// 核验审计日志，指出第一处被改动或缺失的地方
    Verify(VerifyArgs),
    /// 以 JSON 行导出审计日志
    Export(ExportArgs),
}

#[derive(Args)]
pub(super) struct VerifyArgs {
    /// 核验导出的文件，不打开数据目录
    #[arg(long)]
    file: Option<PathBuf>,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Args)]
pub(super) struct ExportArgs {
    /// 写到文件；默认写到标准输出
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
}

pub(super) async fn run(command: AuditCommand) -> Result<ExitCode> {
    match command {
        AuditCommand::Verify(args) => verify(args).await,
        AuditCommand::Export(args) => export(args).await.map(|()| ExitCode::SUCCESS),
    }
}

async fn verify(args: VerifyArgs) -> Result<ExitCode> {
    let verdict = match &args.file {
        Some(file) => verify_lines(&std::fs::read(file).map_err(|e| unreadable(file, e))?),
        None => {
            let worker = worker(&args.data).await?;
            let verdict = worker.call("audit.verify", json!({})).await?;
            serde_json::from_value::<Verdict>(verdict).map_err(Error::internal)?
        }
    };
    if args.json {
        say(&serde_json::to_string_pretty(&verdict).map_err(Error::internal)?);
    } else if let Some(broken) = &verdict.broken {
        say(&format!(
            "审计日志已损坏：{}，{}。此前 {} 条完好。",
            broken.place, broken.reason, verdict.entries
        ));
    } else {
        say(&format!(
            "审计日志完好：{} 条，{} 条链。",
            verdict.entries, verdict.chains
        ));
    }
    Ok(ExitCode::from(u8::from(verdict.broken.is_some())))
}

fn unreadable(file: &Path, error: std::io::Error) -> Error {
    Error::new(
        ErrorCode::InvalidInput,
        format!("读不了 {}。请核对文件名。", file.display()),
    )
    .with_detail(error)
}

fn unwritable(error: std::io::Error) -> Error {
    Error::new(
        ErrorCode::Storage,
        "写不出导出的内容。请检查磁盘空间和权限。",
    )
    .with_detail(error)
}

async fn export(args: ExportArgs) -> Result<()> {
    let mut out: Box<dyn Write + Send> = match &args.out {
        Some(file) => Box::new(std::io::BufWriter::new(
            std::fs::File::create(file).map_err(|e| unreadable(file, e))?,
        )),
        None => Box::new(std::io::BufWriter::new(std::io::stdout())),
    };
    match worker(&args.data).await? {
        Worker::Here(app) => {
            let work = async {
                app.audit
                    .export(|line| writeln!(out, "{line}").map_err(unwritable))
                    .await
            };
            let gate = &app.catalogue;
            gate.enter(&doors::AUDIT_EXPORT, &context(), String::new(), work)
                .await?;
            app.close().await?;
        }
        Worker::Server(server) => copy(&server, &mut out).await?,
    }
    out.flush().map_err(unwritable)?;
    if let Some(file) = &args.out {
        note(&format!("已导出到 {}。", file.display()));
    }
    Ok(())
}

async fn copy(server: &Server, out: &mut (dyn Write + Send)) -> Result<()> {
    let lost = |e: reqwest::Error| {
        Error::new(
            ErrorCode::Unavailable,
            "与服务的连接中断，导出不完整，请重试。",
        )
        .with_detail(e)
    };
    let response = server.get("/audit/export").send().await.map_err(lost)?;
    let response = response.error_for_status().map_err(lost)?;
    let mut body = response.bytes_stream();
    while let Some(bytes) = body.next().await {
        out.write_all(&bytes.map_err(lost)?).map_err(unwritable)?;
    }
    Ok(())
}
