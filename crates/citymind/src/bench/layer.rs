//! What the capability layer costs: a call that does next to nothing, with identity, rate limit, permission, audit and
//! measures on, against a bare route of the same server.

use std::time::{Duration, Instant};

use clap::Args;
use kernel::{Error, ErrorCode, Result};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::cli::say;

/// A route without any layer.
const BARE: &str = "/health/live";
/// A capability that answers from memory.
const LAYERED: &str = "/api/v1/spaces";

#[derive(Args)]
pub(crate) struct LayerBench {
    /// 服务地址
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// 管理员密钥（citymind keys create --role administrator --print）
    #[arg(long)]
    key: String,
    /// 连接数
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// 每秒请求数（所有连接合计）
    #[arg(long, default_value_t = 2000)]
    rate: u32,
    /// 每一轮的秒数；裸路由与能力各跑三轮，交替进行
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// 服务的进程号，用来报告它占用的处理器份额
    #[arg(long)]
    pid: Option<u32>,
}

/// How the requests of one kind went.
#[derive(Default)]
struct Outcome {
    times: Vec<Duration>,
    failed: usize,
    seconds: f64,
}

pub(super) async fn run(args: LayerBench) -> Result<()> {
    let client = Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(args.connections)
        .tcp_nodelay(true)
        .build()
        .map_err(Error::internal)?;
    let bare = || client.get(format!("{}{BARE}", args.url));
    let layered = || {
        client
            .get(format!("{}{LAYERED}", args.url))
            .bearer_auth(&args.key)
    };
    // Connections are opened and both routes warmed up before anything counts.
    for route in [bare(), layered()] {
        let warm = Duration::from_secs(1);
        if block(&args, warm, || clone(&route)).await.times.is_empty() {
            return Err(Error::new(
                ErrorCode::Unavailable,
                format!("{} 没有正常应答。请核对服务地址和密钥。", args.url),
            ));
        }
    }
    let before = (cpu(None), args.pid.map(|p| cpu(Some(p))));
    let start = Instant::now();
    let (mut of_bare, mut of_layer) = (Outcome::default(), Outcome::default());
    let length = Duration::from_secs(u64::from(args.seconds.max(1)));
    for _ in 0..3 {
        of_bare.add(block(&args, length, bare).await);
        of_layer.add(block(&args, length, layered).await);
    }
    let wall = start.elapsed().as_secs_f64();
    let share = |before: f64, after: f64| ((after - before) / wall * 100.0).round() / 100.0;
    let (bare, layer) = (of_bare.report(), of_layer.report());
    let added = |name: &str| {
        let of = |report: &Value| report[name].as_f64().unwrap_or_default();
        ((of(&layer) - of(&bare)) * 1000.0).round() / 1000.0
    };
    say(&json!({
        "connections": args.connections,
        "rate": args.rate,
        "bare": bare,
        "layer": layer,
        "added_p50_ms": added("p50_ms"),
        "added_p99_ms": added("p99_ms"),
        "cores_load": share(before.0, cpu(None)),
        "cores_program": args.pid.map(|p| share(before.1.unwrap_or_default(), cpu(Some(p)))),
    })
    .to_string());
    Ok(())
}

fn clone(request: &RequestBuilder) -> RequestBuilder {
    // Neither has a body that could not be sent twice.
    request
        .try_clone()
        .unwrap_or_else(|| Client::new().get("http://127.0.0.1"))
}

/// Sends at the rate for so long. Each connection has its own beat, offset against the others.
async fn block(
    args: &LayerBench,
    length: Duration,
    request: impl Fn() -> RequestBuilder,
) -> Outcome {
    let beat = Duration::from_secs_f64(args.connections as f64 / f64::from(args.rate.max(1)));
    let start = Instant::now();
    let workers: Vec<_> = (0..args.connections)
        .map(|n| {
            let template = request();
            let offset = beat.mul_f64(n as f64 / args.connections as f64);
            tokio::spawn(async move {
                let mut outcome = Outcome::default();
                let first = tokio::time::Instant::from_std(start + offset);
                let mut tick = tokio::time::interval_at(first, beat);
                while start.elapsed() < length {
                    tick.tick().await;
                    let begun = Instant::now();
                    let sound = match clone(&template).send().await {
                        Ok(r) if r.status().is_success() => r.bytes().await.is_ok(),
                        _ => false,
                    };
                    if sound {
                        outcome.times.push(begun.elapsed());
                    } else {
                        outcome.failed += 1;
                    }
                }
                outcome
            })
        })
        .collect();
    let mut all = Outcome::default();
    for worker in workers {
        if let Ok(outcome) = worker.await {
            all.add(outcome);
        }
    }
    all.seconds = start.elapsed().as_secs_f64();
    all
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.failed += other.failed;
        self.seconds += other.seconds;
    }

    fn report(&mut self) -> Value {
        self.times.sort_unstable();
        let at = |share: f64| {
            let place = (self.times.len() as f64 * share) as usize;
            let time = self
                .times
                .get(place.min(self.times.len().saturating_sub(1)));
            time.map_or(0.0, |t| (t.as_secs_f64() * 1e6).round() / 1e3)
        };
        json!({
            "requests": self.times.len(),
            "failed": self.failed,
            "per_second": (self.times.len() as f64 / self.seconds).round(),
            "p50_ms": at(0.5),
            "p95_ms": at(0.95),
            "p99_ms": at(0.99),
            "max_ms": at(1.0),
        })
    }
}

/// Processor seconds that a process, or this one, has used (Linux; 0 elsewhere).
fn cpu(pid: Option<u32>) -> f64 {
    let who = pid.map_or_else(|| "self".to_owned(), |p| p.to_string());
    let stat = std::fs::read_to_string(format!("/proc/{who}/stat")).unwrap_or_default();
    // After the name in parentheses, which may hold blanks; utime and stime are in hundredths of a second.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
}
