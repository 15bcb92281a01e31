//! Asks a GGUF model and says how fast it replied: `chat FILE TOKENS PROMPT…`, where a prompt is the path of a pair of files
//! `PROMPT.sys` and `PROMPT.usr`, and of a schema in `PROMPT.json` where there is one.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{fs, path::Path, time::Instant};

use citymind_engine_models::{GgufChat, GgufSettings, threads};
use futures_util::StreamExt;
use kernel::models::{ChatEvent, ChatModel, ChatRequest, Message, Role};

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
        let mut first = None;
        let mut text = String::new();
        let mut stream = model.chat(request).await.unwrap();
        while let Some(event) = stream.next().await {
            first.get_or_insert_with(|| begun.elapsed());
            match event.unwrap() {
                ChatEvent::Text(piece) => text += &piece,
                ChatEvent::Done { finish, usage } => {
                    let (first, whole) =
                        (first.unwrap().as_secs_f64(), begun.elapsed().as_secs_f64());
                    let usage = usage.unwrap();
                    println!(
                        "== {prompt}: {} tokens to the first text in {first:.2} s ({:.1}/s), {} more in {:.2} s ({:.1}/s), {finish:?}, {}",
                        usage.prompt,
                        usage.prompt as f64 / first,
                        usage.completion - 1,
                        whole - first,
                        (usage.completion - 1) as f64 / (whole - first),
                        memory()
                    );
                }
                _ => {}
            }
        }
        println!("{text}\n");
    }
}
