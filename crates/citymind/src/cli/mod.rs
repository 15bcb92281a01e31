//! The command line.

mod ask;
mod audit;
mod client;
mod keys;
mod knowledge;
mod serve;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use kernel::{Error, ErrorCode, Result};

use crate::{bench, config::Config, eval, http::openapi, wiring::App};

/// 城智：政务大模型应用平台
#[derive(Parser)]
#[command(name = "citymind", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 启动服务
    Serve(serve::ServeArgs),
    /// 提一个问题
    Ask(ask::AskArgs),
    /// 管理知识库
    #[command(subcommand)]
    Knowledge(knowledge::KnowledgeCommand),
    /// 用公开数据集评测，写出原始答案
    #[command(subcommand)]
    Eval(eval::Suite),
    /// 压测运行中的服务
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// 管理接口密钥
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// 核验、导出审计日志
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// 输出接口文档（OpenAPI 3.1）
    Openapi(DataArgs),
}

/// Which data folder.
#[derive(Args, Clone)]
pub(crate) struct DataArgs {
    /// 数据目录
    #[arg(long, default_value = "data", env = "CITYMIND_DATA")]
    pub(crate) data: PathBuf,
    /// 配置文件（默认读取数据目录中的 citymind.toml）
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
}

impl DataArgs {
    /// The configuration.
    pub(crate) fn load(&self) -> Result<Config> {
        Config::load(self.config.as_deref(), &self.data)
    }
}

/// Runs the command that was asked for.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("CITYMIND_LOG")
        .unwrap_or_else(|_| "warn,citymind=info,citymind_knowledge=info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    // One implementation of cryptography for every client of ours; a second call would be refused, and is not made.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Error::internal(error)),
    };
    match runtime.block_on(dispatch(cli.command)) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

async fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::run(args).await?,
        Command::Ask(args) => return ask::run(args).await,
        Command::Knowledge(command) => return knowledge::run(command).await,
        Command::Eval(suite) => eval::run(suite).await?,
        Command::Bench(command) => bench::run(command).await?,
        Command::Keys(command) => keys::run(command).await?,
        Command::Audit(command) => return audit::run(command).await,
        Command::Openapi(_) => {
            let folder = tempfile::tempdir().map_err(Error::internal)?;
            let app = App::open(folder.path(), Config::default()).await?;
            say(
                &serde_json::to_string_pretty(&openapi::describe(app.catalogue.all()))
                    .map_err(Error::internal)?,
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints to standard output; a closed pipe is no failure.
pub(crate) fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints to standard error.
pub(crate) fn note(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn failed(error: &Error) -> ExitCode {
    note(&format!("错误：{}", error.message));
    if let Some(detail) = &error.detail {
        tracing::debug!(detail, "cause");
    }
    let unusable = matches!(
        error.code,
        ErrorCode::InvalidInput
            | ErrorCode::MalformedBody
            | ErrorCode::QuestionTooLong
            | ErrorCode::UnsupportedFormat
    );
    ExitCode::from(if unusable { 2 } else { 1 })
}
