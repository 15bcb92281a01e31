//! `citymind ask`.

use std::process::ExitCode;

use clap::Args;
use kernel::{Error, Result};
use platform::answer::{Answer, AnswerStatus, AskInput};

use super::{DataArgs, client::worker, say};

#[derive(Args)]
pub(super) struct AskArgs {
    /// 问题
    question: String,
    #[command(flatten)]
    data: DataArgs,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    /// 按某一天的规定回答（YYYY-MM-DD）
    #[arg(long)]
    as_of: Option<jiff::civil::Date>,
    /// 接着某次对话
    #[arg(long)]
    session: Option<String>,
    /// 只用某个知识空间
    #[arg(long)]
    space: Option<String>,
}

pub(super) async fn run(args: AskArgs) -> Result<ExitCode> {
    let input = AskInput {
        question: args.question,
        session: args.session,
        as_of: args.as_of,
        space: args.space,
        ..AskInput::default()
    };
    let input = serde_json::to_value(&input).map_err(Error::internal)?;
    let worker = worker(&args.data).await?;
    let answer = worker.call("service.ask", input).await?;
    let answer: Answer = serde_json::from_value(answer).map_err(Error::internal)?;
    if args.json {
        say(&serde_json::to_string_pretty(&answer).map_err(Error::internal)?);
    } else {
        print(&answer);
    }
    Ok(if answer.status == AnswerStatus::Answered {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn print(answer: &Answer) {
    if answer.status == AnswerStatus::Refused {
        say(&answer.answer);
        for c in &answer.channels {
            say(&format!("  {}  {}  {}", c.name, c.contact, c.note));
        }
    }
    let marks = |numbers: &[usize]| numbers.iter().map(|n| format!("[{n}]")).collect::<String>();
    for segment in &answer.segments {
        say(&format!("{}{}", segment.text, marks(&segment.citations)));
    }
    for point in &answer.points {
        say(&format!(
            "  {}：{}[{}]",
            point.label, point.text, point.citation
        ));
    }
    answer
        .notices
        .iter()
        .for_each(|n| say(&format!("注意：{n}")));
    if !answer.citations.is_empty() {
        say("\n依据");
    }
    for c in &answer.citations {
        let number = c
            .number
            .as_deref()
            .map(|n| format!("（{n}）"))
            .unwrap_or_default();
        say(&format!(
            "[{}] 《{}》{number} {}\n    “{}”",
            c.n,
            c.title,
            c.path,
            c.quote.replace('\n', " ")
        ));
    }
}
