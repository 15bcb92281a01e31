//! `citymind bench`: how fast the running server answers.

mod layer;
mod support;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use clap::{Args, Subcommand};
use kernel::{Error, ErrorCode, Result};
use reqwest::{
    Client,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use serde_json::json;

use crate::cli::say;

#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// 并发提问，输出延迟分位数
    Serve(ServeBench),
    /// 测量能力层（身份、限流、权限、审计、计量）增加的延迟
    Layer(layer::LayerBench),
    /// 测量惠企政策匹配：合成企业对演示城市的政策
    Support(support::SupportBench),
}

#[derive(Args)]
pub(crate) struct ServeBench {
    /// 服务地址
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// 问题文件，一行一个；默认使用服务提供的示例问题
    #[arg(long)]
    questions: Option<PathBuf>,
    /// 总请求数
    #[arg(long, default_value_t = 400)]
    requests: usize,
    /// 并发数
    #[arg(long, default_value_t = 4)]
    concurrency: usize,
    /// 请求类型：ask 提问，search 只检索
    #[arg(long, default_value = "ask", value_parser = ["ask", "search"])]
    what: String,
    /// 接口密钥；不给则匿名，受每个地址的请求上限约束
    #[arg(long)]
    key: Option<String>,
}

fn client(args: &ServeBench) -> Result<Client> {
    let mut headers = HeaderMap::new();
    if let Some(key) = &args.key {
        let value = HeaderValue::from_str(&format!("Bearer {key}"));
        let value = value.map_err(|e| {
            Error::new(ErrorCode::InvalidInput, "密钥里有不能发送的字符。").with_detail(e)
        })?;
        headers.insert(AUTHORIZATION, value);
    }
    let client = Client::builder()
        .no_proxy()
        .default_headers(headers)
        .build();
    client.map_err(Error::internal)
}

pub(crate) async fn run(command: BenchCommand) -> Result<()> {
    match command {
        BenchCommand::Serve(args) => serve(args).await,
        BenchCommand::Layer(args) => layer::run(args).await,
        BenchCommand::Support(args) => support::run(&args),
    }
}

async fn serve(args: ServeBench) -> Result<()> {
    let client = client(&args)?;
    let questions = Arc::new(questions(&args, &client).await?);
    let next = Arc::new(AtomicUsize::new(0));
    let failed = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let workers: Vec<_> = (0..args.concurrency.max(1))
        .map(|_| {
            let (client, questions, next, failed) = (
                client.clone(),
                questions.clone(),
                next.clone(),
                failed.clone(),
            );
            let (url, requests, search) = (args.url.clone(), args.requests, args.what == "search");
            tokio::spawn(async move {
                let mut times = Vec::new();
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    if turn >= requests {
                        return times;
                    }
                    let question = &questions[turn % questions.len()];
                    let begun = Instant::now();
                    if one(&client, &url, question, search).await {
                        times.push(begun.elapsed());
                    } else {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    let mut times: Vec<Duration> = Vec::new();
    for worker in workers {
        times.extend(worker.await.map_err(Error::internal)?);
    }
    let seconds = start.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| {
        let place = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times
            .get(place)
            .map_or(0.0, |t| (t.as_secs_f64() * 1e5).round() / 100.0)
    };
    let report = json!({
        "what": args.what,
        "requests": args.requests,
        "concurrency": args.concurrency,
        "failed": failed.load(Ordering::Relaxed),
        "seconds": (seconds * 100.0).round() / 100.0,
        "per_second": (times.len() as f64 / seconds).round(),
        "p50_ms": at(0.5),
        "p90_ms": at(0.9),
        "p95_ms": at(0.95),
        "p99_ms": at(0.99),
        "max_ms": at(1.0),
    });
    say(&report.to_string());
    Ok(())
}

async fn one(client: &Client, url: &str, question: &str, search: bool) -> bool {
    let request = if search {
        client
            .post(format!("{url}/api/v1/knowledge/search"))
            .json(&json!({"query": question}))
    } else {
        client
            .post(format!("{url}/api/v1/ask"))
            .json(&json!({"question": question}))
    };
    match request.send().await {
        Ok(response) if response.status().is_success() => response.bytes().await.is_ok(),
        _ => false,
    }
}

async fn questions(args: &ServeBench, client: &Client) -> Result<Vec<String>> {
    let lines: Vec<String> = match &args.questions {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| {
                Error::new(
                    ErrorCode::InvalidInput,
                    format!("打不开 {}：{e}。", path.display()),
                )
            })?;
            text.lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .map(str::to_owned)
                .collect()
        }
        None => {
            let unreachable = |e| {
                Error::new(
                    ErrorCode::Unavailable,
                    format!("连不上 {}。请先启动服务。", args.url),
                )
                .with_detail(e)
            };
            let status = client
                .get(format!("{}/api/v1/status", args.url))
                .send()
                .await
                .map_err(unreachable)?;
            let status: serde_json::Value = status.json().await.map_err(unreachable)?;
            serde_json::from_value(status["examples"].clone()).unwrap_or_default()
        }
    };
    if lines.is_empty() {
        return Err(Error::new(ErrorCode::InvalidInput, "没有问题可问。"));
    }
    Ok(lines)
}
