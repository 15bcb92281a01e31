//! `citymind keys`.

use clap::{Args, Subcommand};
use kernel::{Error, Result};
use platform::identity::inputs::CreatedKey;
use serde_json::json;

use super::{DataArgs, client::worker, note, say};

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// 新建密钥；密钥只显示这一次
    Create(CreateArgs),
    /// 列出密钥
    List(ListArgs),
    /// 吊销密钥
    Revoke(RevokeArgs),
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// 名称：给谁、做什么用
    #[arg(long)]
    name: String,
    /// 角色，可多次给出，如 administrator、clerk
    #[arg(long = "role", required = true)]
    roles: Vec<String>,
    /// 只允许这些能力，可多次给出，如 service.ask
    #[arg(long)]
    scope: Vec<String>,
    /// 有效天数；默认长期有效
    #[arg(long)]
    days: Option<u32>,
    /// 只输出密钥本身
    #[arg(long)]
    print: bool,
    /// 以 JSON 输出
    #[arg(long, conflicts_with = "print")]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// 第几页
    #[arg(long, default_value_t = 1)]
    page: u64,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Args)]
pub(super) struct RevokeArgs {
    /// 密钥的编号（见 keys list）
    id: String,
    #[command(flatten)]
    data: DataArgs,
}

pub(super) async fn run(command: KeysCommand) -> Result<()> {
    match command {
        KeysCommand::Create(args) => create(args).await,
        KeysCommand::List(args) => list(args).await,
        KeysCommand::Revoke(args) => {
            let worker = worker(&args.data).await?;
            let key = worker.call("keys.revoke", json!({"id": args.id})).await?;
            say(&format!("已吊销“{}”。", text(&key["name"])));
            Ok(())
        }
    }
}

async fn create(args: CreateArgs) -> Result<()> {
    // Told here rather than by the schema: the names are the person's to know.
    platform::identity::roles_named(&args.roles)?;
    let mut input = json!({"name": args.name, "roles": args.roles});
    if !args.scope.is_empty() {
        input["scope"] = json!(args.scope);
    }
    if let Some(days) = args.days {
        input["days"] = days.into();
    }
    let worker = worker(&args.data).await?;
    let created = worker.call("keys.create", input).await?;
    if args.json {
        say(&serde_json::to_string_pretty(&created).map_err(Error::internal)?);
        return Ok(());
    }
    let created: CreatedKey = serde_json::from_value(created).map_err(Error::internal)?;
    if !args.print {
        note(&format!(
            "已新建密钥“{}”。请立即保存，之后无法再次查看：",
            created.view.name
        ));
    }
    say(&created.key);
    Ok(())
}

async fn list(args: ListArgs) -> Result<()> {
    let worker = worker(&args.data).await?;
    let page = worker
        .call("keys.list", json!({"page": args.page, "page_size": 50}))
        .await?;
    if args.json {
        say(&serde_json::to_string_pretty(&page).map_err(Error::internal)?);
        return Ok(());
    }
    for key in page["items"].as_array().into_iter().flatten() {
        let state = if key["revoked_at"].is_null() {
            "有效"
        } else {
            "已吊销"
        };
        say(&format!(
            "{}  {}…  {}  {}  {}",
            text(&key["id"]),
            text(&key["hint"]),
            state,
            text(&key["name"]),
            key["roles"]
        ));
    }
    say(&format!("共 {} 个。", page["total"]));
    Ok(())
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}
