//! Every capability as a command: `citymind AREA VERB`, made from its definition and its input's schema.

use std::{io::IsTerminal, io::Read as _, process::ExitCode, sync::Arc};

use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, builder::PossibleValuesParser};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{
    Error, ErrorCode, Result,
    capability::{Progress, Registered},
};
use serde_json::{Map, Value};

use super::{
    Cli, DataArgs,
    client::{self, Worker},
    note, say,
    schema::{Kind, kind},
    show,
};

/// The words of a capability on the command line: `knowledge.import_cancel` is `knowledge import-cancel`.
fn words(name: &str) -> (String, String) {
    let (area, verb) = name.split_once('.').unwrap_or((name, "call"));
    (area.replace('_', "-"), verb.replace('_', "-"))
}

/// Whether a command is written by hand.
fn by_hand(area: &str, verb: &str) -> bool {
    let cli = Cli::command();
    cli.find_subcommand(area).is_some_and(|found| {
        // `ask` and `serve` have no verbs: all that follows is theirs.
        found.get_subcommands().next().is_none() || found.find_subcommand(verb).is_some()
    })
}

/// Runs the capability that the arguments name; `None` where they name none.
pub(super) async fn run(arguments: &[String]) -> Option<Result<ExitCode>> {
    let area = arguments.get(1).filter(|a| !a.starts_with('-'))?;
    let verb = arguments.get(2).map(String::as_str).unwrap_or("--help");
    let help = matches!(verb, "--help" | "-h" | "help");
    if !help && by_hand(area, verb) {
        return None;
    }
    let known = match client::catalogue().await {
        Ok(known) => known,
        Err(error) => return Some(Err(error)),
    };
    let of_area: Vec<&Registered> = known
        .iter()
        .filter(|c| words(c.definition.name).0 == *area)
        .collect();
    if help {
        return list(area, &of_area).map(Ok);
    }
    let found = of_area.iter().find(|c| words(c.definition.name).1 == verb);
    let Some(capability) = found else {
        if of_area.is_empty() {
            return None;
        }
        note(&format!(
            "错误：“{area}”没有“{verb}”这个命令。可用的命令见 citymind {area} --help。"
        ));
        return Some(Ok(ExitCode::from(2)));
    };
    let command = command(capability);
    let matches = match command.try_get_matches_from(
        std::iter::once(format!("citymind {area} {verb}")).chain(arguments[3..].iter().cloned()),
    ) {
        Ok(matches) => matches,
        Err(error) => {
            // Clap says what is wrong, or shows the help that was asked for.
            let _ = error.print();
            return Some(Ok(ExitCode::from(if error.use_stderr() { 2 } else { 0 })));
        }
    };
    Some(call(capability, &matches).await)
}

/// The commands of an area, those written by hand first.
fn list(area: &str, capabilities: &[&Registered]) -> Option<ExitCode> {
    let cli = Cli::command();
    let written = cli.find_subcommand(area);
    if capabilities.is_empty() || written.is_some_and(|w| w.get_subcommands().next().is_none()) {
        return None;
    }
    say(&format!("用法：citymind {area} <命令> [选项]\n\n命令："));
    for sub in written.into_iter().flat_map(Command::get_subcommands) {
        let about = sub.get_about().map(ToString::to_string);
        say(&format!(
            "  {:<18} {}",
            sub.get_name(),
            about.unwrap_or_default()
        ));
    }
    for capability in capabilities {
        let (_, verb) = words(capability.definition.name);
        if !by_hand(area, &verb) {
            say(&format!("  {verb:<18} {}", capability.definition.title));
        }
    }
    say(&format!("\n用 citymind {area} <命令> --help 查看选项。"));
    Some(ExitCode::SUCCESS)
}

/// The areas, for the end of the program's help.
pub(super) async fn areas() -> Result<String> {
    let known = client::catalogue().await?;
    let mut areas: Vec<String> = Vec::new();
    for capability in &known {
        let (area, _) = words(capability.definition.name);
        if !areas.contains(&area) {
            areas.push(area);
        }
    }
    Ok(format!(
        "每项能力也是命令：citymind <领域> <动作>，领域有 {}。\n用 citymind <领域> --help 查看。",
        areas.join("、")
    ))
}

fn in_path(capability: &Registered, name: &str) -> bool {
    capability.definition.path.contains(&format!("{{{name}}}"))
}

fn command(capability: &Registered) -> Command {
    let d = &capability.definition;
    let schema = capability.input.clone().to_value();
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut command = Command::new(d.name)
        .about(d.title)
        .long_about(d.description);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let mut arg = Arg::new(name.clone());
        if let Some(text) = property["description"].as_str() {
            arg = arg.help(text.to_owned());
        }
        let needed = required.contains(&name.as_str());
        arg = if in_path(capability, name) {
            arg.required_unless_present("input")
                .value_name(name.to_uppercase())
        } else if needed {
            arg.long(name.replace('_', "-"))
                .required_unless_present("input")
        } else {
            arg.long(name.replace('_', "-"))
        };
        command = command.arg(valued(arg, &kind(property, &schema)));
    }
    let data = <DataArgs as clap::Args>::augment_args(Command::new("data"));
    command
        .arg(
            Arg::new("input")
                .long("input")
                .value_name("FILE")
                .help("整个输入，JSON 文件；- 表示标准输入"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("以 JSON 输出"),
        )
        .args(data.get_arguments().cloned().collect::<Vec<_>>())
}

fn valued(arg: Arg, kind: &Kind) -> Arg {
    match kind {
        Kind::Boolean => arg.value_parser(["true", "false"]),
        Kind::Integer => arg
            .value_parser(clap::value_parser!(i64))
            .allow_negative_numbers(true),
        Kind::Number => arg
            .value_parser(clap::value_parser!(f64))
            .allow_negative_numbers(true),
        Kind::Choice(choices) => arg.value_parser(PossibleValuesParser::new(choices.clone())),
        Kind::List(item) => valued(arg, item).action(ArgAction::Append),
        Kind::Text => arg,
        Kind::Json => arg.value_name("JSON"),
    }
}

/// What was given on the command line, as the capability's input.
fn input(capability: &Registered, matches: &ArgMatches) -> Result<Value> {
    let mut fields = match matches.get_one::<String>("input") {
        Some(file) => whole(file)?,
        None => Map::new(),
    };
    let schema = capability.input.clone().to_value();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if matches.value_source(name).is_none() {
            continue;
        }
        let raw = matches.get_raw(name).into_iter().flatten();
        let texts: Vec<String> = raw.map(|t| t.to_string_lossy().into_owned()).collect();
        let kind = kind(property, &schema);
        let value = match &kind {
            Kind::List(item) => {
                let items = texts.iter().map(|t| item.read(name, t));
                Value::Array(items.collect::<Result<_>>()?)
            }
            single => single.read(name, texts.first().map_or("", String::as_str))?,
        };
        fields.insert(name.clone(), value);
    }
    Ok(Value::Object(fields))
}

fn whole(file: &str) -> Result<Map<String, Value>> {
    let mut text = String::new();
    let read = if file == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(file).map(|t| text = t)
    };
    let unusable =
        |what: &str| Error::new(ErrorCode::InvalidInput, format!("--input {file}：{what}"));
    read.map_err(|e| unusable("读不了。").with_detail(e))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(unusable("应为 JSON 对象。")),
        Err(e) => Err(unusable(&format!(
            "不是有效的 JSON（第 {} 行第 {} 列）。",
            e.line(),
            e.column()
        ))),
    }
}

async fn call(capability: &Registered, matches: &ArgMatches) -> Result<ExitCode> {
    let input = input(capability, matches)?;
    let data = <DataArgs as clap::FromArgMatches>::from_arg_matches(matches)
        .map_err(|e| Error::new(ErrorCode::InvalidInput, e.to_string()))?;
    let worker = client::worker(&data).await?;
    let d = &capability.definition;
    let output = if d.streams && std::io::stderr().is_terminal() {
        followed(&worker, capability, input).await?
    } else {
        worker.call(d.name, input).await?
    };
    if matches.get_flag("json") {
        say(&serde_json::to_string_pretty(&output).map_err(Error::internal)?);
    } else {
        say(&show::readable(&output));
    }
    Ok(ExitCode::SUCCESS)
}

/// With a bar that shows how far it is; Ctrl C cancels.
async fn followed(worker: &Worker, capability: &Registered, input: Value) -> Result<Value> {
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{bar:32} {pos}/{len}  {msg}  {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let shown = Arc::new(bar);
    let drawn = shown.clone();
    let told = move |name: &str, data: &Value| {
        if name == "progress"
            && let Ok(progress) = serde_json::from_value::<Progress>(data.clone())
        {
            drawn.set_length(progress.total);
            drawn.set_position(progress.done);
            drawn.set_message(progress.message);
        }
    };
    let name = capability.definition.name;
    let output = match worker {
        Worker::Here(app) => {
            let context = client::context().following(move |event| {
                told(event.name, &event.data);
                true
            });
            let asked = context.clone();
            let calling = app.catalogue.call(name, &context, input);
            tokio::pin!(calling);
            // Asked to stop, it ends where it can, and what it did is written down.
            let output = tokio::select! {
                output = &mut calling => output,
                _ = tokio::signal::ctrl_c() => {
                    asked.cancel();
                    calling.await
                }
            };
            app.close().await?;
            output
        }
        // The server cancels what nobody listens to any more.
        Worker::Server(server) => server.follow(&capability.definition, input, told).await,
    };
    shown.finish_and_clear();
    if output
        .as_ref()
        .is_err_and(|e| e.code == ErrorCode::Cancelled)
    {
        note("已取消。");
    }
    output
}
