//! `citymind mcp`: the tools over standard input and output, for a program that starts this one.

use std::sync::Arc;

use clap::Args;
use kernel::{
    Error, ErrorCode, Result,
    capability::{Caller, Context},
    identity::Via,
};
use rmcp::{ServiceExt, transport::io::stdio};

use super::{Behind, Tools, tool};
use crate::cli::{
    DataArgs,
    client::{self, Worker},
};

#[derive(Args)]
pub(crate) struct McpArgs {
    #[command(flatten)]
    data: DataArgs,
    /// 以这个密钥的权限调用；不给则以本机管理员的权限
    #[arg(long, env = "CITYMIND_KEY", hide_env_values = true)]
    key: Option<String>,
}

/// Serves until standard input ends.
pub(crate) async fn run(args: McpArgs) -> Result<()> {
    match client::worker(&args.data).await? {
        Worker::Here(app) => {
            let caller = match &args.key {
                Some(key) => {
                    let account = app.identity.authenticate(key).await?.account;
                    if account.via != Via::Key {
                        return Err(Error::new(
                            ErrorCode::SignInFailed,
                            "--key 应为接口密钥（cmk_ 开头）。",
                        ));
                    }
                    Caller {
                        hidden_spaces: app.identity.hidden_spaces(Some(&account)).await?,
                        account: Some(account),
                        ..Caller::default()
                    }
                }
                None => client::context().caller,
            };
            let app = Arc::new(*app);
            let work = app.work();
            let tools = Tools {
                behind: Behind::Here(app.catalogue.clone()),
                caller: Some(Context::of(caller)),
            };
            let served = serve(tools).await;
            work.stop().await;
            app.close().await?;
            served
        }
        Worker::Server(server) => {
            let server = match args.key {
                Some(key) => server.with_key(key),
                None => server,
            };
            let me = server.send(server.get("/auth/me")).await?;
            let open = me["capabilities"].as_array().cloned().unwrap_or_default();
            let all = client::catalogue().await?;
            let all = all
                .iter()
                .filter(|c| open.iter().any(|name| name == c.definition.name));
            let tools = Tools {
                behind: Behind::Server(Arc::new(server), Arc::new(all.map(tool::of).collect())),
                caller: Some(client::context()),
            };
            serve(tools).await
        }
    }
}

async fn serve(tools: Tools) -> Result<()> {
    let running = tools.serve(stdio()).await.map_err(Error::internal)?;
    running.waiting().await.map_err(Error::internal)?;
    Ok(())
}
