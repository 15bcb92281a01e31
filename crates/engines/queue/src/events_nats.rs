//! Events in a stream of NATS JetStream.
//!
//! One stream holds the events, an event's id as the message's id, by which the server knows it again. Up to where each
//! consumer is through stands in a bucket of the same server, and is changed only at the revision at which it was read.
//! A consumer of the server's own would deal the messages out among the processes that share its name; one of them that
//! acknowledges everything before its last message would then speak for what another was given and never finished.

use std::{sync::Arc, time::Duration};

use async_nats::{
    Client, ConnectOptions, Event as Happened,
    connection::State,
    jetstream::{
        self, Context,
        kv::{self, Operation, UpdateErrorKind},
        message::PublishMessage,
        stream::{self, RawMessageErrorKind, Stream},
    },
};
use async_trait::async_trait;
use kernel::{
    Error, ErrorCode, Result,
    events::{Delivery, Event, EventBus, LONGEST, check_name},
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Mutex, watch},
    time::timeout,
};

/// How long an answer of the server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the server knows an event again.
const KNOWN_AGAIN: Duration = Duration::from_secs(3600);

/// How often a cursor is changed against others who change it.
const RACES: usize = 32;

/// Which server, and what to call things there.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// Its address, e.g. `nats://user:password@host:4222`, or several of one cluster with commas; `tls://` for TLS.
    pub url: String,
    /// What its credentials file says, where it wants one.
    pub credentials: Option<String>,
    /// The name of the stream and what its subjects begin with: letters, digits, `_` and `-`.
    pub prefix: String,
    /// How long events are kept.
    pub keep: Duration,
    /// How many servers of the cluster keep each event.
    pub replicas: usize,
}

impl NatsOptions {
    /// One server, a month, `citymind`.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: None,
            prefix: "citymind".to_owned(),
            keep: Duration::from_secs(30 * 24 * 3600),
            replicas: 1,
        }
    }
}

/// A stream of NATS JetStream as a bus.
pub struct NatsBus {
    client: Client,
    context: Context,
    options: NatsOptions,
    connected: watch::Receiver<bool>,
    /// Made at the first use, and looked for again after anything failed: the server may have lost its data.
    place: Mutex<Option<Arc<Place>>>,
}

struct Place {
    stream: Stream,
    cursors: kv::Store,
}

/// Up to where a consumer is through.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// Grows when the consumer is rewound, so that a late acknowledgement doesn't undo that.
    generation: u64,
    sequence: u64,
}

impl Cursor {
    fn position(self) -> String {
        format!("{}.{}", self.generation, self.sequence)
    }

    fn parse(position: &str) -> Result<Self> {
        let parts = position
            .split_once('.')
            .map(|(g, s)| (g.parse(), s.parse()));
        match parts {
            Some((Ok(generation), Ok(sequence))) => Ok(Self {
                generation,
                sequence,
            }),
            _ => Err(Error::internal(format!(
                "no position of the stream: {position}"
            ))),
        }
    }
}

fn unreachable(detail: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorCode::Unavailable,
        "消息服务器（NATS）连接不上或没有应答，请检查它的地址、账号和运行状态（须启用 JetStream）。事件保存在数据库中，恢复后自动继续。",
    )
    .with_detail(detail)
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidInput, message)
}

/// A part of a subject: what the server would take for a pattern or a boundary is replaced.
fn subject(prefix: &str, kind: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let parts = kind.split('.').map(|part| match part {
        "" => "_".to_owned(),
        part => part.replace(|c| !plain(c), "_"),
    });
    format!("{prefix}.{}", parts.collect::<Vec<_>>().join("."))
}

impl NatsBus {
    /// A bus at a server, which need not be there yet.
    ///
    /// # Errors
    /// `InvalidInput` if an option is malformed.
    pub async fn connect(options: NatsOptions) -> Result<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if options.prefix.is_empty() || !options.prefix.bytes().all(plain) {
            return Err(refused(format!(
                "NATS 的流名称“{}”不可用：只用字母、数字、“_”和“-”。",
                options.prefix
            )));
        }
        let (tell, connected) = watch::channel(false);
        let tell = Arc::new(tell);
        let mut connecting = ConnectOptions::new()
            .name("citymind")
            .retry_on_initial_connect()
            .request_timeout(Some(PATIENCE))
            .event_callback(move |event| {
                let tell = tell.clone();
                async move {
                    match event {
                        Happened::Connected => {
                            tell.send_replace(true);
                        }
                        Happened::Disconnected | Happened::Closed => {
                            tell.send_replace(false);
                        }
                        _ => {}
                    }
                    tracing::info!("the message server: {event}");
                }
            });
        if let Some(credentials) = &options.credentials {
            connecting = connecting
                .credentials(credentials)
                .map_err(|e| refused("NATS 的凭据文件无法识别，请检查它的内容。").with_detail(e))?;
        }
        let servers: Vec<&str> = options.url.split(',').map(str::trim).collect();
        let client = connecting.connect(servers).await.map_err(|e| {
            refused("NATS 的地址无法识别，应形如 nats://主机:4222。").with_detail(e)
        })?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(PATIENCE);
        Ok(Self {
            client,
            context,
            options,
            connected,
            place: Mutex::default(),
        })
    }

    /// Does something at the server, if it is there and answers in time.
    async fn at_server<T>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        // Not left to the client: it would keep what is asked of it until the server is back.
        if self.client.connection_state() != State::Connected {
            let mut connected = self.connected.clone();
            let back = timeout(PATIENCE, connected.wait_for(|c| *c)).await;
            if !matches!(back, Ok(Ok(_))) {
                return Err(unreachable("not connected"));
            }
        }
        let done = work.await;
        if done.is_err() {
            *self.place.lock().await = None;
        }
        done
    }

    async fn place(&self) -> Result<Arc<Place>> {
        let mut place = self.place.lock().await;
        if let Some(place) = &*place {
            return Ok(place.clone());
        }
        if self.client.max_payload() < LONGEST + 4096 {
            return Err(Error::new(
                ErrorCode::Unavailable,
                "NATS 服务器的 max_payload 过小，放不下最长的事件，请调到 1MB。",
            ));
        }
        let prefix = &self.options.prefix;
        let stream = stream::Config {
            name: prefix.clone(),
            description: Some("CityMind events".to_owned()),
            subjects: vec![format!("{prefix}.>")],
            storage: stream::StorageType::File,
            max_age: self.options.keep,
            duplicate_window: KNOWN_AGAIN.min(self.options.keep),
            num_replicas: self.options.replicas,
            ..stream::Config::default()
        };
        let stream = self.context.get_or_create_stream(stream);
        let stream = stream.await.map_err(unreachable)?;
        let bucket = format!("{prefix}_cursors");
        // Made as the stream that a bucket is: the client's own way of making one asks for what servers before 2.10
        // don't tell.
        let cursors = stream::Config {
            name: format!("KV_{bucket}"),
            description: Some("Up to where CityMind's consumers are through".to_owned()),
            subjects: vec![format!("$KV.{bucket}.>")],
            max_messages_per_subject: 1,
            discard: stream::DiscardPolicy::New,
            allow_rollup: true,
            deny_delete: true,
            storage: stream::StorageType::File,
            num_replicas: self.options.replicas,
            ..stream::Config::default()
        };
        let made = self.context.get_or_create_stream(cursors);
        made.await.map_err(unreachable)?;
        let cursors = self.context.get_key_value(&bucket).await;
        let cursors = cursors.map_err(unreachable)?;
        let made = Arc::new(Place { stream, cursors });
        *place = Some(made.clone());
        Ok(made)
    }

    async fn send(&self, event: &Event) -> Result<()> {
        let payload = serde_json::to_vec(event).map_err(Error::internal)?;
        if payload.len() > LONGEST {
            return Err(Error::new(
                ErrorCode::TooLarge,
                format!("事件 {} 过长，消息服务器不收。", event.id),
            ));
        }
        let message = PublishMessage::build()
            .message_id(&event.id)
            .payload(payload.into());
        let subject = subject(&self.options.prefix, &event.kind);
        let taken = self.context.send_publish(subject, message).await;
        // One after the other: if one is not taken, none behind it may be.
        taken.map_err(unreachable)?.await.map_err(unreachable)?;
        Ok(())
    }

    async fn read(&self, consumer: &str, limit: usize) -> Result<Vec<Delivery>> {
        let place = self.place().await?;
        let (mut cursor, _) = cursor(&place, consumer).await?;
        let end = place.stream.get_info().await.map_err(unreachable)?;
        if cursor.sequence > end.state.last_sequence {
            // The stream was lost and made anew, and counts from one again.
            advance(&place, consumer, |standing| {
                let same = standing.position() == cursor.position();
                if same {
                    *standing = begun_again(*standing);
                }
                same
            })
            .await?;
            cursor = self::cursor(&place, consumer).await?.0;
        }
        let mut found = Vec::new();
        let mut at = cursor;
        while found.len() < limit && at.sequence < end.state.last_sequence {
            let next = place
                .stream
                .get_first_raw_message_by_subject(self.subjects(), at.sequence + 1)
                .await;
            let message = match next {
                Ok(message) => message,
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => break,
                Err(error) => return Err(unreachable(error)),
            };
            at.sequence = message.sequence;
            match serde_json::from_slice(&message.payload) {
                Ok(event) => found.push(Delivery {
                    event,
                    position: at.position(),
                }),
                // Somebody else's, on our subject: it must not hold up what comes after it.
                Err(error) => tracing::error!(
                    sequence = message.sequence,
                    "a message of the stream is no event: {error}"
                ),
            }
        }
        Ok(found)
    }

    fn subjects(&self) -> String {
        format!("{}.>", self.options.prefix)
    }
}

fn begun_again(cursor: Cursor) -> Cursor {
    Cursor {
        generation: cursor.generation + 1,
        sequence: 0,
    }
}

/// A consumer's cursor, and the revision at which it stands.
async fn cursor(place: &Place, consumer: &str) -> Result<(Cursor, u64)> {
    let entry = place.cursors.entry(consumer).await.map_err(unreachable)?;
    Ok(match entry {
        None => (Cursor::default(), 0),
        Some(entry) if entry.operation != Operation::Put => (Cursor::default(), entry.revision),
        Some(entry) => (
            serde_json::from_slice(&entry.value).map_err(Error::internal)?,
            entry.revision,
        ),
    })
}

/// Changes a cursor whoever else does the same at once; `change` says false where nothing is to be done.
async fn advance(
    place: &Place,
    consumer: &str,
    change: impl Fn(&mut Cursor) -> bool + Send + Sync,
) -> Result<()> {
    for _ in 0..RACES {
        let (mut cursor, revision) = cursor(place, consumer).await?;
        if !change(&mut cursor) {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&cursor).map_err(Error::internal)?;
        match place.cursors.update(consumer, bytes.into(), revision).await {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
            Err(error) => return Err(unreachable(error)),
        }
    }
    Err(unreachable("a cursor is changed by others all the time"))
}

#[async_trait]
impl EventBus for NatsBus {
    async fn publish(&self, events: &[Event]) -> Result<()> {
        self.at_server(async {
            self.place().await?;
            for event in events {
                self.send(event).await?;
            }
            Ok(())
        })
        .await
    }

    async fn next(&self, consumer: &str, limit: usize) -> Result<Vec<Delivery>> {
        check_name(consumer)?;
        self.at_server(self.read(consumer, limit)).await
    }

    async fn acknowledge(&self, consumer: &str, position: &str) -> Result<()> {
        check_name(consumer)?;
        let through = Cursor::parse(position)?;
        self.at_server(async {
            advance(&*self.place().await?, consumer, |cursor| {
                let onwards =
                    through.generation == cursor.generation && through.sequence > cursor.sequence;
                if onwards {
                    *cursor = through;
                }
                onwards
            })
            .await
        })
        .await
    }

    async fn rewind(&self, consumer: &str) -> Result<()> {
        check_name(consumer)?;
        self.at_server(async {
            advance(&*self.place().await?, consumer, |cursor| {
                *cursor = begun_again(*cursor);
                true
            })
            .await
        })
        .await
    }

    async fn waiting(&self, consumer: &str) -> Result<u64> {
        check_name(consumer)?;
        self.at_server(async {
            let place = self.place().await?;
            let (cursor, _) = cursor(&place, consumer).await?;
            let end = place.stream.get_info().await.map_err(unreachable)?.state;
            if cursor.sequence > end.last_sequence {
                return Ok(end.messages);
            }
            let gone = end.first_sequence.saturating_sub(1);
            Ok(end.last_sequence - cursor.sequence.max(gone).min(end.last_sequence))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_becomes_a_subject_that_is_no_pattern() {
        for (kind, want) in [
            ("knowledge.imported", "p.knowledge.imported"),
            ("a.*.>", "p.a._._"),
            ("", "p._"),
            ("a..b c", "p.a._.b_c"),
            ("事件", "p.__"),
        ] {
            assert_eq!(subject("p", kind), want);
        }
    }

    #[tokio::test]
    async fn malformed_options_are_refused_with_what_to_do() {
        let mut options = NatsOptions::at("nats://127.0.0.1:1");
        options.prefix = "a.*".into();
        let error = NatsBus::connect(options).await.err().unwrap();
        assert!(error.message.contains("a.*"), "{}", error.message);
        let error = NatsBus::connect(NatsOptions::at("nats://no port:x")).await;
        assert!(error.err().unwrap().message.contains("nats://"));
        let mut options = NatsOptions::at("nats://127.0.0.1:1");
        options.credentials = Some("nonsense".into());
        assert!(NatsBus::connect(options).await.is_err());
    }
}
