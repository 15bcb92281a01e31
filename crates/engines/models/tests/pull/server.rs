//! A small HTTP server that does what it is told: ranges, faults, cuts.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// What the server does with one request.
#[derive(Clone)]
pub(crate) enum Act {
    /// Answers with that status.
    Status(u16),
    /// Closes after so many bytes of the body.
    Cut(usize),
    /// Sends all, whatever range is asked for.
    Whole,
    /// Sends the first bytes, says so, and then nothing until the connection ends.
    Stall(usize, Arc<Notify>),
}

#[derive(Default)]
struct State {
    files: HashMap<String, Vec<u8>>,
    acts: HashMap<String, VecDeque<Act>>,
    /// Path and range of each request.
    seen: Vec<(String, Option<usize>)>,
}

/// Ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::default(),
        };
        let state = Arc::clone(&server.state);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&state)));
            }
        });
        server
    }

    pub(crate) fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        let mut state = self.state.lock().unwrap();
        state.files.insert(path.to_owned(), content.into());
    }

    /// What to do with the next requests for a path; after that they are answered as they should be.
    pub(crate) fn act(&self, path: &str, acts: impl IntoIterator<Item = Act>) {
        let mut state = self.state.lock().unwrap();
        state
            .acts
            .insert(path.to_owned(), acts.into_iter().collect());
    }

    /// The requests since the last call: path and first byte asked for.
    pub(crate) fn seen(&self) -> Vec<(String, Option<usize>)> {
        std::mem::take(&mut self.state.lock().unwrap().seen)
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read_exact(&mut byte).await.is_err() {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let range = head.lines().find_map(|line| {
        let line = line.to_lowercase();
        let start = line.strip_prefix("range: bytes=")?;
        start.strip_suffix('-')?.parse::<usize>().ok()
    });
    let (file, act) = {
        let mut state = state.lock().unwrap();
        state.seen.push((path.clone(), range));
        let act = state.acts.get_mut(&path).and_then(VecDeque::pop_front);
        (state.files.get(&path).cloned(), act)
    };
    let status = match (&file, &act) {
        (_, Some(Act::Status(status))) => Some(*status),
        (None, _) => Some(404),
        _ => None,
    };
    if let Some(status) = status {
        let reply =
            format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(reply.as_bytes()).await;
        return;
    }
    let file = file.unwrap();
    let range = range.filter(|_| !matches!(act, Some(Act::Whole)));
    let (body, first) = match range {
        Some(start) if start >= file.len() => {
            let reply = format!(
                "HTTP/1.1 416 x\r\ncontent-range: bytes */{}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                file.len()
            );
            let _ = stream.write_all(reply.as_bytes()).await;
            return;
        }
        Some(start) => (
            &file[start..],
            format!(
                "206 x\r\ncontent-range: bytes {start}-{}/{}",
                file.len() - 1,
                file.len()
            ),
        ),
        None => (&file[..], "200 x".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {first}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let length = match act {
        Some(Act::Cut(length) | Act::Stall(length, _)) => length.min(body.len()),
        _ => body.len(),
    };
    let _ = stream.write_all(&body[..length]).await;
    let _ = stream.flush().await;
    if let Some(Act::Stall(_, told)) = act {
        told.notify_one();
        // Until the other side goes.
        let _ = stream.read(&mut [0]).await;
    }
}
