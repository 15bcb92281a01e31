//! The command line.

mod ask;
mod audit;
pub(crate) mod client;
mod generated;
mod keys;
mod knowledge;
mod models;
mod schema;
mod serve;
mod service;
mod show;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use kernel::{Error, ErrorCode, Result};

use crate::{bench, config::Config, eval, http::openapi, mcp::stdio, wiring::App};

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
    /// 检查办事事项文件
    #[command(subcommand)]
    Service(service::ServiceCommand),
    /// 下载和管理模型
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// 用公开数据集评测，写出原始答案
    #[command(subcommand)]
    Eval(eval::Suite),
    /// 压测运行中的服务
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// 以标准输入输出提供 MCP 工具
    Mcp(stdio::McpArgs),
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
    match runtime.block_on(choose()) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

/// A command written by hand, or one that is made from a capability.
async fn choose() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args_os()
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    if let Some(done) = generated::run(&arguments).await {
        return done;
    }
    let asks_for_help = matches!(
        arguments.get(1).map(String::as_str),
        None | Some("--help" | "-h" | "help")
    );
    let mut command = Cli::command();
    if asks_for_help && arguments.len() < 3 {
        command = command.after_help(generated::areas().await?);
    }
    let parsed = command
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => dispatch(cli.command).await,
        Err(error) => error.exit(),
    }
}

async fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::run(args).await?,
        Command::Ask(args) => return ask::run(args).await,
        Command::Knowledge(command) => return knowledge::run(command).await,
        Command::Service(command) => return service::run(command),
        Command::Models(command) => return models::run(command).await,
        Command::Eval(suite) => eval::run(suite).await?,
        Command::Bench(command) => bench::run(command).await?,
        Command::Mcp(args) => stdio::run(args).await?,
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
