//! A small HTTP server that does what a test tells it, down to the bytes.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use citymind_engine_models::{EndpointSettings, Times};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What the server does with a connection, in turn; then it closes it.
pub(crate) enum Act {
    Send(Vec<u8>),
    /// Nothing, until the client hangs up.
    Hang,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// Names in small letters, one `name: value` a line.
    pub(crate) headers: String,
    pub(crate) body: Value,
}

pub(crate) struct Server {
    pub(crate) base_url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    hung_up: watch::Receiver<usize>,
}

impl Server {
    /// Does what `acts` makes of each request, which is told its number.
    pub(crate) async fn start(
        acts: impl Fn(usize, &Request) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (gone, hung_up) = watch::channel(0);
        let acts = Arc::new(acts);
        let seen = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acts, seen, gone) = (acts.clone(), seen.clone(), gone.clone());
                tokio::spawn(async move { serve(stream, &*acts, &seen, &gone).await });
            }
        });
        Self {
            base_url,
            requests,
            hung_up,
        }
    }

    /// Does the same with every request.
    pub(crate) async fn always(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |_, _| vec![Act::Send(bytes.clone())]).await
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until a client has hung up on a server that hangs.
    pub(crate) async fn hung_up(&mut self) {
        self.hung_up.wait_for(|count| *count > 0).await.unwrap();
    }

    /// An endpoint that waits long enough for a busy machine, and never repeats.
    pub(crate) fn settings(&self) -> EndpointSettings {
        EndpointSettings {
            name: "测试".into(),
            base_url: self.base_url.clone(),
            model: "model-1".into(),
            key: Some("sk-hush".into()),
            retries: 0,
            ..EndpointSettings::default()
        }
    }

    /// The same in a hurry.
    pub(crate) fn hasty(&self, hurry: impl FnOnce(&mut Times)) -> EndpointSettings {
        let mut settings = self.settings();
        hurry(&mut settings.times);
        settings
    }
}

/// A time that is soon over.
pub(crate) const SOON: Duration = Duration::from_millis(60);

async fn serve(
    mut stream: TcpStream,
    acts: &(impl Fn(usize, &Request) -> Vec<Act> + Send + Sync),
    requests: &Mutex<Vec<Request>>,
    gone: &watch::Sender<usize>,
) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    let number = {
        let mut requests = requests.lock().unwrap();
        requests.push(request.clone());
        requests.len() - 1
    };
    for act in acts(number, &request) {
        match act {
            Act::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
                stream.flush().await.unwrap();
            }
            Act::Hang => {
                let mut byte = [0];
                while matches!(stream.read(&mut byte).await, Ok(1..)) {}
                gone.send_modify(|count| *count += 1);
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
            let headers = head.to_lowercase();
            let length = headers
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= at + 4 + length {
                let path = head.split(' ').nth(1).unwrap().to_owned();
                let body = serde_json::from_slice(&bytes[at + 4..]).unwrap_or_default();
                return Some(Request {
                    path,
                    headers,
                    body,
                });
            }
        }
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => bytes.extend(&buffer[..read]),
            _ => return None,
        }
    }
}

/// A whole answer.
pub(crate) fn answer(status: &str, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").into_bytes()
}

pub(crate) fn json(body: &Value) -> Vec<u8> {
    answer("200 OK", "application/json", &body.to_string())
}

/// The head of an answer that goes on until the connection is closed.
pub(crate) fn stream_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n".to_vec()
}

/// A stream of events, whole.
pub(crate) fn stream(events: &[&str]) -> Vec<u8> {
    let mut bytes = stream_head();
    for event in events {
        bytes.extend(format!("data: {event}\n\n").into_bytes());
    }
    bytes
}

/// The event that says some text.
pub(crate) fn says(text: &str) -> String {
    serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}}]}).to_string()
}

pub(crate) const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
pub(crate) const DONE: &str = "[DONE]";
