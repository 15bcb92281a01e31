//! The command line as a client of the server that holds the data folder.

use std::path::Path;

use engine_store::{DataFolder, Holder};
use futures_util::StreamExt;
use kernel::{
    Error, ErrorCode, Result,
    capability::{Caller, Context, Definition, Method, Registered},
};
use reqwest::{Client, RequestBuilder};
use serde_json::{Map, Value};

use super::DataArgs;
use crate::{config::Config, http::percent, wiring::App};

/// Whoever does the work: this process, or the server that holds the folder.
pub(crate) enum Worker {
    Here(Box<App>),
    Server(Server),
}

/// The server that holds the folder.
pub(crate) struct Server {
    holder: Holder,
    client: Client,
}

/// Opens the folder, or finds the server that holds it.
pub(crate) async fn worker(args: &DataArgs) -> Result<Worker> {
    match App::open(&args.data, args.load()?).await {
        Ok(app) => Ok(Worker::Here(Box::new(app))),
        Err(error) if error.code == ErrorCode::DataFolderInUse => match server(&args.data) {
            Some(server) => Ok(Worker::Server(server)),
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// A capability's path with the input's fields that stand in it, and the other fields.
fn address(capability: &Definition, input: Value) -> Result<(String, Map<String, Value>)> {
    let Value::Object(mut fields) = input else {
        return Err(Error::internal("an input that is no object"));
    };
    let mut path = String::new();
    for part in capability.path.split('/').skip(1) {
        path.push('/');
        match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(name) => {
                let value = fields.remove(name).unwrap_or_default();
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                path.push_str(&percent(&text));
            }
            None => path.push_str(part),
        }
    }
    Ok((path, fields))
}

fn queries(fields: Map<String, Value>) -> Vec<(String, String)> {
    fields
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
        .collect()
}

fn server(data: &Path) -> Option<Server> {
    Some(Server {
        holder: DataFolder::holder(data)?,
        client: Client::new(),
    })
}

/// Who the command line is.
pub(crate) fn context() -> Context {
    Context::of(Caller::system("本机命令行"))
}

impl Worker {
    /// Calls a capability by its name.
    pub(crate) async fn call(&self, name: &str, input: Value) -> Result<Value> {
        match self {
            Self::Here(app) => {
                let output = app.catalogue.call(name, &context(), input).await;
                app.close().await?;
                output
            }
            Self::Server(server) => server.call_named(name, input).await,
        }
    }
}

/// What this program can do, told once by an instance that holds nothing.
pub(crate) async fn catalogue() -> Result<Vec<Registered>> {
    static KNOWN: tokio::sync::OnceCell<Vec<Registered>> = tokio::sync::OnceCell::const_new();
    let known = KNOWN.get_or_try_init(|| async {
        let folder = tempfile::tempdir().map_err(Error::internal)?;
        let app = App::open(folder.path(), Config::default()).await?;
        Ok(app.catalogue.all().to_vec())
    });
    known.await.cloned()
}

impl Server {
    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.holder.address)
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client
            .get(self.url(path))
            .bearer_auth(&self.holder.key)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client
            .post(self.url(path))
            .bearer_auth(&self.holder.key)
    }

    /// The same server, called with another key.
    pub(crate) fn with_key(mut self, key: String) -> Self {
        self.holder.key = key;
        self
    }

    /// Calls a capability by its name.
    pub(crate) async fn call_named(&self, name: &str, input: Value) -> Result<Value> {
        let known = catalogue().await?;
        let capability = known.iter().find(|c| c.definition.name == name);
        let capability = capability.ok_or_else(|| Error::not_found("这项能力"))?;
        self.call(&capability.definition, input).await
    }

    /// Calls a capability.
    pub(crate) async fn call(&self, capability: &Definition, input: Value) -> Result<Value> {
        self.send(self.request(capability, input)?).await
    }

    fn request(&self, capability: &Definition, input: Value) -> Result<RequestBuilder> {
        let (path, rest) = address(capability, input)?;
        let method = match capability.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let request = self
            .client
            .request(method, self.url(&path))
            .bearer_auth(&self.holder.key);
        Ok(if capability.method == Method::Post {
            request.json(&rest)
        } else {
            request.query(&queries(rest))
        })
    }

    /// Calls a capability and tells of its events as they come.
    pub(crate) async fn follow(
        &self,
        capability: &Definition,
        input: Value,
        told: impl Fn(&str, &Value),
    ) -> Result<Value> {
        let request = self.request(capability, input)?;
        let request = request.header("accept", "text/event-stream");
        let response = request.send().await.map_err(|e| self.unreachable(e))?;
        if !response.status().is_success() {
            return Err(problem(&response.json().await.map_err(Error::internal)?));
        }
        let (mut body, mut buffer) = (response.bytes_stream(), Vec::new());
        while let Some(bytes) = body.next().await {
            buffer.extend_from_slice(&bytes.map_err(|e| self.unreachable(e))?);
            while let Some(end) = buffer.windows(2).position(|w| w == b"\n\n") {
                let block: Vec<u8> = buffer.drain(..end + 2).collect();
                let Some((name, data)) = event(&String::from_utf8_lossy(&block)) else {
                    continue;
                };
                match name.as_str() {
                    "done" => return Ok(data),
                    "error" => return Err(problem(&data)),
                    _ => told(&name, &data),
                }
            }
        }
        Err(Error::new(
            ErrorCode::Unavailable,
            "与服务的连接中断，操作可能没有完成。",
        ))
    }

    fn unreachable(&self, cause: reqwest::Error) -> Error {
        Error::new(
            ErrorCode::Unavailable,
            format!("连不上占用数据目录的服务（{}）。", self.holder.address),
        )
        .with_detail(cause)
    }

    /// Sends a request; a problem comes back as the error it tells of.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Value> {
        let response = request.send().await.map_err(|e| self.unreachable(e))?;
        let sound = response.status().is_success();
        let body: Value = response.json().await.map_err(Error::internal)?;
        if sound { Ok(body) } else { Err(problem(&body)) }
    }
}

/// The error that problem details tell of.
fn problem(body: &Value) -> Error {
    let code = serde_json::from_value(body["code"].clone()).unwrap_or(ErrorCode::Internal);
    Error::new(code, body["detail"].as_str().unwrap_or("服务返回了错误。"))
}

/// A server-sent event: its name and its data.
fn event(block: &str) -> Option<(String, Value)> {
    let field = |name: &str| block.lines().find_map(|l| l.strip_prefix(name));
    let data = serde_json::from_str(field("data:")?.trim()).ok()?;
    Some((field("event:")?.trim().to_owned(), data))
}
