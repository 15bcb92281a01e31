//! The MCP door: each capability as a tool, for programs and models that speak the Model Context Protocol.
//!
//! | file | what |
//! |---|---|
//! | `tool.rs` | a capability described as a tool |
//! | `http.rs` | `/mcp`, streamable HTTP without sessions |
//! | `stdio.rs` | `citymind mcp`, over standard input and output |

pub(crate) mod http;
pub(crate) mod stdio;
mod tool;

use std::sync::Arc;

use kernel::{
    Error, ErrorCode, Result,
    capability::{Context, Event},
};
use platform::catalogue::Catalogue;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, Implementation, ListToolsResult,
        PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::cli::client::Server;

/// Where calls go.
#[derive(Clone)]
pub(crate) enum Behind {
    /// This process.
    Here(Catalogue),
    /// The server that holds the data folder; the tools are those of the same program.
    Server(Arc<Server>, Arc<Vec<Tool>>),
}

/// The tools of one caller, or of whoever calls.
#[derive(Clone)]
pub(crate) struct Tools {
    behind: Behind,
    /// Who calls, where it is always the same.
    caller: Option<Context>,
}

impl Tools {
    fn context(&self, request: &RequestContext<RoleServer>) -> Result<Context, ErrorData> {
        if let Some(context) = &self.caller {
            return Ok(Context::of(context.caller.clone()));
        }
        http::context(request).ok_or_else(|| ErrorData::internal_error("no caller", None))
    }

    async fn tools(&self, context: &Context) -> Result<Vec<Tool>> {
        match &self.behind {
            Behind::Here(catalogue) => {
                let open = catalogue.open_to(context).await?;
                let all = catalogue.all().iter();
                Ok(all
                    .filter(|c| open.iter().any(|name| name == c.definition.name))
                    .map(tool::of)
                    .collect())
            }
            Behind::Server(_, tools) => Ok(tools.as_ref().clone()),
        }
    }

    async fn call(&self, name: &str, context: &Context, input: Value) -> Result<Value> {
        match &self.behind {
            Behind::Here(catalogue) => catalogue.call(name, context, input).await,
            Behind::Server(server, _) => server.call_named(name, input).await,
        }
    }

    fn capability(&self, tool: &str) -> Option<String> {
        let known = |name: &str| tool::name(name) == tool;
        match &self.behind {
            Behind::Here(catalogue) => {
                let mut all = catalogue.all().iter().map(|c| c.definition.name);
                all.find(|n| known(n)).map(str::to_owned)
            }
            Behind::Server(_, tools) => tools
                .iter()
                .find(|t| t.name == tool)
                .and_then(tool::capability),
        }
    }
}

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("citymind", env!("CARGO_PKG_VERSION")))
            .with_instructions(
                "城市政务平台的能力。问答类工具的每句话都附有原文依据；有改动的工具会先写入审计日志。",
            )
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        request: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let context = self.context(&request)?;
        let tools = self.tools(&context).await.map_err(fault)?;
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        request: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = self.capability(&params.name).ok_or_else(|| {
            ErrorData::invalid_params(format!("没有名为 {} 的工具。", params.name), None)
        })?;
        let mut context = self.context(&request)?;
        let progress = request.meta.get_progress_token();
        let (told, mut heard) = mpsc::unbounded_channel::<Event>();
        if progress.is_some() {
            context = context.following(move |event| told.send(event).is_ok());
        } else {
            drop(told);
        }
        let report = async |event: Event| {
            if let (Some(token), Some((done, total))) = (&progress, share(&event)) {
                let mut report = ProgressNotificationParam::new(token.clone(), done);
                report.total = total;
                report.message = event.data["message"].as_str().map(str::to_owned);
                // The result tells whether the client is still there.
                let _ = request.peer.notify_progress(report).await;
            }
        };
        let input = Value::Object(params.arguments.unwrap_or_default());
        let calling = self.call(&name, &context, input);
        tokio::pin!(calling);
        let result = loop {
            tokio::select! {
                result = &mut calling => break result,
                Some(event) = heard.recv() => report(event).await,
                () = request.ct.cancelled() => {
                    context.cancel();
                    break Err(Error::new(ErrorCode::Cancelled, "操作已取消。"));
                }
            }
        };
        // What was told just before the end is told before the result.
        while let Ok(event) = heard.try_recv() {
            report(event).await;
        }
        Ok(answer(result, &context.request).into())
    }
}

/// How far an event says that the call is.
fn share(event: &Event) -> Option<(f64, Option<f64>)> {
    if event.name != "progress" {
        return None;
    }
    let total = event.data["total"].as_f64().filter(|t| *t > 0.0);
    Some((event.data["done"].as_f64()?, total))
}

/// What went wrong is for the model to read, not an error of the protocol.
fn answer(result: Result<Value>, request: &str) -> CallToolResult {
    match result {
        // The protocol's structured content is an object.
        Ok(output @ Value::Object(_)) => CallToolResult::structured(output),
        Ok(output) => CallToolResult::structured(json!({"items": output})),
        Err(error) => {
            if error.code == ErrorCode::Internal {
                tracing::error!(request, detail = error.detail, "a tool failed: {error}");
            }
            let body = json!({
                "code": error.code.as_str(),
                "message": error.message,
                "request_id": request,
            });
            CallToolResult::structured_error(body)
        }
    }
}

fn fault(error: Error) -> ErrorData {
    tracing::error!(detail = error.detail, "tools could not be listed: {error}");
    ErrorData::internal_error(error.message, None)
}
