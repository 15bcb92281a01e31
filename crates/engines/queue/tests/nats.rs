//! The bus at a real server, which each test starts for itself.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use citymind_engine_queue::{NatsBus, NatsOptions};
use kernel::{
    Error, ErrorCode, Result,
    events::{Event, EventBus},
    records::{Records, Write},
    testkit::{MemoryRecords, event_bus_conforms},
};
use platform::events::{Events, Handler, Options};
use serde_json::json;
use tokio::sync::watch;

/// A server with a folder of its own; it ends with the test.
struct Server {
    program: PathBuf,
    data: tempfile::TempDir,
    port: u16,
    child: Child,
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .map(|folder| folder.join("nats-server"))
        .find(|file| file.is_file())
}

fn launch(program: &Path, data: &Path, port: &str) -> Child {
    Command::new(program)
        .args(["-js", "-a", "127.0.0.1", "-p", port, "-sd"])
        .arg(data.join("store"))
        .arg("--ports_file_dir")
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl Server {
    /// None, said aloud, where this machine has no such server.
    async fn start() -> Option<Self> {
        let Some(program) = program() else {
            println!("SKIPPED: no nats-server on this machine (Debian package nats-server)");
            return None;
        };
        let data = tempfile::tempdir().unwrap();
        // It takes a free port by itself and writes down which.
        let child = launch(&program, data.path(), "-1");
        let file = data
            .path()
            .join(format!("nats-server_{}.ports", child.id()));
        let port = eventually(async || {
            let said: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
            let url = said["nats"][0].as_str()?;
            url.rsplit(':').next()?.parse().ok()
        })
        .await;
        Some(Self {
            program,
            data,
            port,
            child,
        })
    }

    /// As when the power fails.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn start_again(&mut self) {
        self.child = launch(&self.program, self.data.path(), &self.port.to_string());
    }

    fn lose_everything(&mut self) {
        std::fs::remove_dir_all(self.data.path().join("store")).unwrap();
    }

    async fn bus(&self) -> Arc<dyn EventBus> {
        let options = NatsOptions::at(format!("nats://127.0.0.1:{}", self.port));
        Arc::new(NatsBus::connect(options).await.unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn eventually<T>(found: impl AsyncFn() -> Option<T>) -> T {
    let came = tokio::time::timeout(Duration::from_secs(120), async {
        loop {
            if let Some(value) = found().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    came.await.expect("it comes about in the end")
}

fn events(numbers: std::ops::Range<u64>) -> Vec<Event> {
    let event = |n| {
        let subject = ["s", "t"][(n % 2) as usize];
        Event::new("test.happened", subject, json!({"number": n}))
    };
    numbers.map(event).collect()
}

async fn given(bus: &dyn EventBus, consumer: &str) -> Option<Vec<String>> {
    let deliveries = bus.next(consumer, 100).await.ok()?;
    Some(deliveries.into_iter().map(|d| d.event.id).collect())
}

fn ids(events: &[Event]) -> Vec<String> {
    events.iter().map(|e| e.id.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    let Some(server) = Server::start().await else {
        return;
    };
    let publish = async |events: Vec<Event>| {
        server.bus().await.publish(&events).await.unwrap();
    };
    event_bus_conforms(async || server.bus().await, publish).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_took_outlasts_its_sudden_end() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let bus = server.bus().await;
    let all = events(0..10);
    bus.publish(&all[..6]).await.unwrap();
    let deliveries = bus.next("c", 100).await.unwrap();
    bus.acknowledge("c", &deliveries[1].position).await.unwrap();
    server.kill();
    let error = bus.next("c", 1).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Unavailable);
    assert!(error.message.contains("NATS"), "{}", error.message);
    assert_eq!(
        bus.publish(&all[5..]).await.unwrap_err().code,
        ErrorCode::Unavailable
    );

    server.start_again();
    eventually(async || bus.publish(&all[5..]).await.ok()).await;
    let standing = eventually(async || given(&*bus, "c").await).await;
    assert_eq!(standing, ids(&all[2..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_need_not_be_there_at_the_start() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    server.kill();
    let bus = server.bus().await;
    assert_eq!(
        bus.next("c", 1).await.unwrap_err().code,
        ErrorCode::Unavailable
    );
    server.start_again();
    let all = events(0..3);
    eventually(async || bus.publish(&all).await.ok()).await;
    assert_eq!(given(&*bus, "c").await.unwrap(), ids(&all));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_lost_begins_again_for_every_consumer() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let bus = server.bus().await;
    bus.publish(&events(0..10)).await.unwrap();
    let deliveries = bus.next("c", 100).await.unwrap();
    bus.acknowledge("c", &deliveries[7].position).await.unwrap();
    let kept = server.data.path().join("store/jetstream/$G/streams");
    server.kill();
    // The cursors are still there, and stand beyond the end.
    std::fs::remove_dir_all(kept.join("citymind")).unwrap();
    server.start_again();
    let new = events(10..13);
    eventually(async || bus.publish(&new).await.ok()).await;
    assert_eq!(bus.waiting("c").await.unwrap(), 3);
    assert_eq!(given(&*bus, "c").await.unwrap(), ids(&new));
    let late = bus.acknowledge("c", &deliveries[9].position).await;
    late.unwrap();
    assert_eq!(given(&*bus, "c").await.unwrap(), ids(&new));
}

/// Notes the numbers.
struct Noting;

const NOTES: kernel::records::Collection = kernel::records::Collection {
    name: "notes",
    indexed: &[],
};

#[async_trait]
impl Handler for Noting {
    fn name(&self) -> &'static str {
        "noting"
    }

    fn kinds(&self) -> &[&str] {
        &["test.*"]
    }

    async fn handle(&self, event: &Event) -> Result<Vec<Write>> {
        let number = event.data["number"]
            .as_u64()
            .ok_or_else(|| Error::internal("no number"))?;
        // The record's revision tells the order of the effects.
        let id = format!("{}-{number:04}", event.subject);
        let note = Write::put(&NOTES, id, &event.data)?;
        Ok(vec![note.expecting(kernel::records::Expect::Absent)])
    }
}

async fn noted(records: &Arc<dyn Records>, subject: &str) -> Vec<u64> {
    let by_revision = kernel::records::Query {
        sort: Some(kernel::records::Sort {
            field: String::new(),
            descending: false,
        }),
        ..kernel::records::Query::default()
    };
    let found = records.find(&NOTES, &by_revision).await.unwrap();
    let of_subject = found.iter().filter(|r| r.id.starts_with(subject));
    of_subject
        .filter_map(|r| r.body["number"].as_u64())
        .collect()
}

async fn publish(records: &Arc<dyn Records>, numbers: std::ops::Range<u64>) {
    for event in events(numbers) {
        records.apply(vec![event.write().unwrap()]).await.unwrap();
    }
}

async fn until_noted(records: &Arc<dyn Records>, count: u64) {
    let complete = async || {
        let (s, t) = (noted(records, "s").await, noted(records, "t").await);
        (s.len() + t.len() == count as usize).then_some((s, t))
    };
    let (s, t) = eventually(complete).await;
    assert_eq!(s, (0..count).step_by(2).collect::<Vec<_>>());
    assert_eq!(t, (1..count).step_by(2).collect::<Vec<_>>());
}

fn quick() -> Options {
    Options {
        first_delay: Duration::from_millis(5),
        longest_delay: Duration::from_millis(50),
        poll: Duration::from_millis(10),
        batch: 16,
        ..Options::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_events_go_through_it_once_in_effect_and_in_order() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let records: Arc<dyn Records> = Arc::new(MemoryRecords::default());
    // Two processes with the same handler, each with a connection of its own.
    let mut processes = Vec::new();
    for _ in 0..2 {
        let handlers: Vec<Arc<dyn Handler>> = vec![Arc::new(Noting)];
        let beyond = Some(server.bus().await);
        let opened = Events::open(records.clone(), beyond, handlers, quick()).await;
        processes.push(opened.unwrap());
    }
    let silent = watch::channel(0).1;
    let running: Vec<_> = processes.iter().map(|p| p.start(&silent)).collect();
    publish(&records, 0..40).await;
    until_noted(&records, 40).await;

    server.kill();
    publish(&records, 40..60).await;
    let relay = processes[0].consumers().await.unwrap().remove(0);
    assert_eq!((relay.name.as_str(), relay.error), ("relay", None));
    server.start_again();
    publish(&records, 60..80).await;
    until_noted(&records, 80).await;

    server.kill();
    server.lose_everything();
    publish(&records, 80..90).await;
    server.start_again();
    processes[0].replay("relay").await.unwrap();
    until_noted(&records, 90).await;
    let caught_up = async || {
        let seen = processes[1].consumers().await.unwrap();
        seen.iter().all(|c| c.lag == Some(0)).then_some(seen)
    };
    let seen = eventually(caught_up).await;
    assert_eq!((seen[1].failing, seen[1].parked, seen[1].held), (0, 0, 0));
    for one in running {
        one.stop().await;
    }
}
