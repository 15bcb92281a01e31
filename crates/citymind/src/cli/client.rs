//! The command line as a client of the server that holds the data folder.

use std::path::Path;

use engine_store::{DataFolder, Holder};
use kernel::{Error, ErrorCode, Result};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use super::DataArgs;
use crate::wiring::App;

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

fn server(data: &Path) -> Option<Server> {
    Some(Server {
        holder: DataFolder::holder(data)?,
        client: Client::new(),
    })
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
