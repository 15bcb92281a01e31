//! Asks a GGUF model and says how fast it replied: `chat FILE TOKENS PROMPT…`, where a prompt is the path of a pair of files
//! `PROMPT.sys` and `PROMPT.usr`, and of a schema in `PROMPT.json` where there is one.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{fs, path::Path, time::Instant};

use citymind_engine_models::{GgufChat, GgufSettings, threads};
use futures_util::StreamExt;
use kernel::models::{ChatEvent, ChatModel, ChatRequest, Message, Role};

/// Seconds of processor time so far, of all threads.
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    fields[11..13]
        .iter()
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status
        .lines()
        .filter(|l| l.starts_with("VmHWM") || l.starts_with("VmRSS"));
    lines.collect::<Vec<_>>().join(" ").replace('\t', " ")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let begun = Instant::now();
    let path = Path::new(&arguments[1]);
    let model = GgufChat::open("chat", path, &GgufSettings::default()).unwrap();
    println!(
        "loaded in {:.1} s, {} threads, {}",
        begun.elapsed().as_secs_f64(),
        threads(),
        memory()
    );
    for prompt in &arguments[3..] {
        let read = |end: &str| fs::read_to_string(format!("{prompt}.{end}"));
        let mut request = ChatRequest::new(vec![
            Message::new(Role::System, read("sys").unwrap().trim()),
            Message::new(Role::User, read("usr").unwrap().trim()),
        ]);
        request.max_tokens = arguments[2].parse().unwrap();
        request.schema = read("json")
            .ok()
            .map(|schema| serde_json::from_str(&schema).unwrap());
        let begun = Instant::now();
        let spent = processor();
        let mut first = None;
        let mut text = String::new();
        let mut stream = model.chat(request).await.unwrap();
        while let Some(event) = stream.next().await {
            first.get_or_insert_with(|| (begun.elapsed().as_secs_f64(), processor() - spent));
            match event.unwrap() {
                ChatEvent::Text(piece) => text += &piece,
                ChatEvent::Done { finish, usage } => {
                    let (first, first_spent) = first.unwrap();
                    let (whole, whole_spent) = (begun.elapsed().as_secs_f64(), processor() - spent);
                    let usage = usage.unwrap();
                    let (asked, said) = (usage.prompt as f64, (usage.completion - 1) as f64);
                    println!(
                        "== {prompt}: {asked} tokens in {first:.2} s ({:.1}/s, {:.1}/CPU s), {said} in {:.2} s ({:.1}/s, {:.1}/CPU s), {finish:?}, {}",
                        asked / first,
                        asked / first_spent,
                        whole - first,
                        said / (whole - first),
                        said / (whole_spent - first_spent),
                        memory()
                    );
                }
                _ => {}
            }
        }
        println!("{text}\n");
    }
}
