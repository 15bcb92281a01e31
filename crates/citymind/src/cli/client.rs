//! The command line as a client of the server that holds the data folder.

use std::path::Path;

use engine_store::{DataFolder, Holder};
use kernel::{
    Error, ErrorCode, Result,
    capability::{Caller, Context, Definition, Method, Registered},
};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Map, Value};

use super::DataArgs;
use crate::{config::Config, http::percent, wiring::App};

/// Whoever does the work: this process, or the server that holds the folder.
pub(super) enum Worker {
    Here(Box<App>),
    Server(Server),
}

/// The server that holds the folder.
pub(super) struct Server {
    holder: Holder,
    client: Client,
}

/// Opens the folder, or finds the server that holds it.
pub(super) async fn worker(args: &DataArgs) -> Result<Worker> {
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
pub(super) fn context() -> Context {
    Context::of(Caller::system("本机命令行"))
}

impl Worker {
    /// Calls a capability by its name.
    pub(super) async fn call(&self, name: &str, input: Value) -> Result<Value> {
        match self {
            Self::Here(app) => {
                let output = app.catalogue.call(name, &context(), input).await;
                app.close().await?;
                output
            }
            Self::Server(server) => {
                let known = catalogue().await?;
                let capability = known.iter().find(|c| c.definition.name == name);
                let capability = capability.ok_or_else(|| Error::not_found("这项能力"))?;
                server.call(&capability.definition, input).await
            }
        }
    }
}

/// What this program can do, told by one that holds nothing.
pub(super) async fn catalogue() -> Result<Vec<Registered>> {
    let folder = tempfile::tempdir().map_err(Error::internal)?;
    let app = App::open(folder.path(), Config::default()).await?;
    Ok(app.catalogue.all().to_vec())
}

impl Server {
    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.holder.address)
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.client
            .get(self.url(path))
            .bearer_auth(&self.holder.key)
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.client
            .post(self.url(path))
            .bearer_auth(&self.holder.key)
    }

    /// Calls a capability.
    pub(super) async fn call(&self, capability: &Definition, input: Value) -> Result<Value> {
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
        self.send(if capability.method == Method::Post {
            request.json(&rest)
        } else {
            request.query(&queries(rest))
        })
        .await
    }

    /// Sends a request; a problem comes back as the error it tells of.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Value> {
        let response: Response = request.send().await.map_err(|e| {
            Error::new(
                ErrorCode::Unavailable,
                format!("连不上占用数据目录的服务（{}）。", self.holder.address),
            )
            .with_detail(e)
        })?;
        let sound = response.status().is_success();
        let body: Value = response.json().await.map_err(Error::internal)?;
        if sound {
            return Ok(body);
        }
        let code = serde_json::from_value(body["code"].clone()).unwrap_or(ErrorCode::Internal);
        Err(Error::new(
            code,
            body["detail"].as_str().unwrap_or("服务返回了错误。"),
        ))
    }
}
