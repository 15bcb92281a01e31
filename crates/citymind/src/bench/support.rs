//! How fast businesses are matched with policies: made-up businesses against the policies of the demonstration city, varied
//! to as many as are wanted.

use std::{sync::Arc, time::Instant};

use clap::Args;
use kernel::{Error, ErrorCode, Result, time};
use serde_json::json;
use service::support::{
    catalogue::Entry,
    matching::{self, Firm},
    reading::read_policies,
    synthetic,
};

use crate::{cli::say, demo};

/// Pairs that are decided by the rules themselves as well, to compare.
const COMPARED: usize = 200_000;

#[derive(Args)]
pub(crate) struct SupportBench {
    /// 企业数
    #[arg(long, default_value_t = 10_000)]
    businesses: usize,
    /// 政策数：演示城市的政策按种子变化到这个数
    #[arg(long, default_value_t = 500)]
    policies: usize,
    /// 线程数
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// 种子
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 测量几次
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// 另外取多少个差一点的，找出要改变什么并验证
    #[arg(long, default_value_t = 200)]
    nearest: usize,
}

fn ms(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1e5).round() / 100.0
}

pub(super) fn run(args: &SupportBench) -> Result<()> {
    let on = time::today();
    let mut entries = Vec::new();
    for (path, read) in read_policies(&demo::policy_files()) {
        let policy = read.map_err(|_| Error::new(ErrorCode::Internal, format!("读不了 {path}")))?;
        let entry = Entry::new(policy, String::new(), String::new());
        entries.push(Arc::new(entry));
    }
    let entries = synthetic::varied(&entries, args.seed, args.policies);
    let made = synthetic::businesses(args.seed, args.businesses, on);
    let begun = Instant::now();
    let firms: Vec<Firm> = made.into_iter().map(|m| Firm::new(m.facts)).collect();
    let reading = ms(begun);
    let begun = Instant::now();
    let ready = matching::ready(&entries, on);
    let compiling = ms(begun);
    let mut times = Vec::new();
    let mut tally = matching::Tally::default();
    for _ in 0..args.runs.max(1) {
        let begun = Instant::now();
        tally = matching::sweep(&ready, &firms, args.threads);
        times.push(ms(begun));
    }
    times.sort_by(f64::total_cmp);
    // The same by the rules themselves, of pairs across the whole.
    let pairs = firms.len() * ready.len();
    let stride = (pairs / COMPARED).max(1) | 1;
    let (mut compared, mut differing, mut slow) = (0, 0, 0.0);
    let (mut near, mut confirmed, mut finding) = (0, 0, 0.0);
    for pair in (0..pairs).step_by(stride) {
        let (firm, policy) = (&firms[pair / ready.len()], &ready[pair % ready.len()]);
        let verdict = policy.verdict(firm);
        let begun = Instant::now();
        let agrees = policy.agrees(verdict, firm);
        slow += begun.elapsed().as_secs_f64();
        compared += 1;
        differing += usize::from(!agrees);
        if !policy.in_the_way(verdict).is_empty() && near < args.nearest {
            let begun = Instant::now();
            confirmed += usize::from(policy.changes(firm).is_some());
            finding += begun.elapsed().as_secs_f64();
            near += 1;
        }
    }
    let each = |seconds: f64, n: usize| (seconds * 1e7 / n.max(1) as f64).round() / 10.0;
    let report = json!({
        "businesses": firms.len(),
        "policies": ready.len(),
        "fast_policies": ready.iter().filter(|r| r.is_fast()).count(),
        "threads": args.threads,
        "reading_ms": reading,
        "compiling_ms": compiling,
        "matching_ms": times,
        "nanoseconds_a_pair": (times[0] * 1e6 / pairs.max(1) as f64).round(),
        "eligible": tally.eligible,
        "near": tally.near,
        "unknown": tally.undecided,
        "not_met": tally.far,
        "compared_with_rules": compared,
        "differing": differing,
        "rules_microseconds_a_pair": each(slow, compared),
        "near_looked_into": near,
        "near_confirmed": confirmed,
        "changes_microseconds_each": each(finding, near),
    });
    say(&report.to_string());
    Ok(())
}
