//! The chain that this process writes.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use kernel::{
    Error, ErrorCode, Result,
    capability::{Context, Definition},
    id,
    records::{Condition, Expect, Query, Records, Write},
    time,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ENTRIES, HEADS,
    accompany::Accompanied,
    entry::{ANCHOR, Actor, Entry},
};

/// Entries of reads wait at most about so long; half of what is promised, since committing takes time as well.
const GROUP: Duration = Duration::from_millis(25);
/// More waiting entries than this, and calls are refused: nothing happens unseen.
const MOST_WAITING: usize = 50_000;
/// An anchor is written again after so many entries.
const ANCHOR_EVERY: u64 = 10_000;
/// Entries of one batch.
const BATCH: usize = 2_000;

/// The last entry of a chain, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) chain: String,
    pub(super) seq: u64,
    pub(super) hash: String,
}

/// Where the chain stands.
struct Chain {
    id: String,
    seq: u64,
    hash: String,
    /// A commit failed: the store may be further than we know.
    doubtful: bool,
    anchored: u64,
}

/// What is written down of a call.
#[derive(Clone)]
pub struct Act {
    /// Who does it.
    pub actor: Actor,
    /// What.
    pub action: &'static str,
    /// To what.
    pub subject: String,
    /// Changes something.
    pub effects: bool,
}

impl Act {
    /// A call of a capability, or of a route described like one.
    pub fn of(definition: &Definition, context: &Context, subject: impl Into<String>) -> Self {
        Self {
            actor: Actor::of(&context.caller),
            action: definition.name,
            subject: subject.into(),
            effects: definition.effects,
        }
    }
}

/// A call under way.
pub(super) struct Call {
    act: Act,
    context: Context,
    start: Instant,
    recorded: AtomicBool,
}

impl Call {
    /// The entry to commit with the call's first change; none for later ones.
    pub(super) fn first_change(&self) -> Option<Entry> {
        let first = self.act.effects && !self.recorded.load(Ordering::Acquire);
        first.then(|| self.entry("ok"))
    }

    pub(super) fn recorded(&self) {
        self.recorded.store(true, Ordering::Release);
    }

    fn entry(&self, outcome: &str) -> Entry {
        let notes = self.context.notes().into_iter();
        Entry {
            chain: String::new(),
            seq: 0,
            at: time::now(),
            actor: self.act.actor.clone(),
            action: self.act.action.to_owned(),
            subject: self.act.subject.clone(),
            outcome: outcome.to_owned(),
            effects: self.act.effects,
            request: self.context.request.clone(),
            elapsed_ms: u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX),
            detail: notes
                .map(|(name, value)| match value {
                    Value::String(text) => (name, text),
                    other => (name, other.to_string()),
                })
                .collect(),
            prev: String::new(),
            hash: String::new(),
        }
    }
}

/// Tells of a call whose caller went away before it ended.
struct Abandoned<'a> {
    audit: &'a Audit,
    call: &'a Call,
    armed: bool,
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if self.armed {
            let entry = self.call.entry(ErrorCode::Cancelled.as_str());
            self.audit.waiting.lock().push(entry);
        }
    }
}

tokio::task_local! {
    /// The call that this task works on; none for what is written down aside.
    pub(super) static CALL: Option<Arc<Call>>;
}

/// Writes something down that is not what the call was made for, such as that an attempt failed: the call's entry does
/// not go along, since it would say that all went well.
pub(crate) async fn aside<T>(work: impl Future<Output = T>) -> T {
    CALL.scope(None, work).await
}

/// The audit log.
pub struct Audit {
    pub(super) records: Arc<dyn Records>,
    chain: tokio::sync::Mutex<Chain>,
    waiting: Mutex<Vec<Entry>>,
}

impl Audit {
    /// Opens the log of a store. The chain of this process begins with its first entry.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(records: Arc<dyn Records>) -> Result<Arc<Self>> {
        records.define(&[ENTRIES, HEADS]).await?;
        let chain = Chain {
            id: id::fresh(),
            seq: 0,
            hash: String::new(),
            doubtful: false,
            anchored: 0,
        };
        Ok(Arc::new(Self {
            records,
            chain: tokio::sync::Mutex::new(chain),
            waiting: Mutex::default(),
        }))
    }

    /// The records for everybody else: a batch made during a call with effects carries the call's entry.
    pub fn accompany(self: &Arc<Self>) -> Arc<dyn Records> {
        Arc::new(Accompanied::new(self.clone()))
    }

    /// Commits waiting entries in groups until the log is dropped.
    pub fn spawn(self: &Arc<Self>) {
        let audit = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(GROUP);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut told = false;
            loop {
                tick.tick().await;
                let Some(audit) = audit.upgrade() else { return };
                match audit.flush().await {
                    Ok(()) => told = false,
                    Err(error) if !told => {
                        tracing::error!(detail = error.detail, "audit entries wait: {error}");
                        told = true;
                    }
                    Err(_) => {}
                }
            }
        });
    }

    /// Commits what waits.
    ///
    /// # Errors
    /// `Storage`, `StorageFull`, `Unavailable`; what could not be committed goes on waiting.
    pub async fn flush(self: &Arc<Self>) -> Result<()> {
        loop {
            let entries = {
                let mut waiting = self.waiting.lock();
                let n = waiting.len().min(BATCH);
                waiting.drain(..n).collect::<Vec<_>>()
            };
            if entries.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.commit(entries.clone(), Vec::new()).await {
                let mut waiting = self.waiting.lock();
                waiting.splice(0..0, entries);
                return Err(error);
            }
        }
    }

    /// Does something and writes down that it was done, by whom and with what outcome.
    ///
    /// # Errors
    /// What the work returns; `Unavailable` where the log can't be written.
    pub async fn during<T>(
        self: &Arc<Self>,
        context: &Context,
        act: Act,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if self.waiting.lock().len() > MOST_WAITING {
            return Err(Error::new(
                ErrorCode::Unavailable,
                "审计日志暂时无法写入，系统已停止受理，请稍后再试或联系管理员。",
            ));
        }
        let call = Arc::new(Call {
            act,
            context: context.clone(),
            start: Instant::now(),
            recorded: AtomicBool::new(false),
        });
        let mut abandoned = Abandoned {
            audit: self,
            call: &call,
            armed: true,
        };
        let result = CALL.scope(Some(call.clone()), work).await;
        abandoned.armed = false;
        let recorded = call.recorded.load(Ordering::Acquire);
        match &result {
            Ok(_) if recorded => {}
            // Its effect is not in the store: the entry stands alone.
            Ok(_) if call.act.effects => {
                self.commit(vec![call.entry("ok")], Vec::new()).await?;
            }
            Ok(_) => self.waiting.lock().push(call.entry("ok")),
            Err(error) if recorded => {
                let entry = call.entry(error.code.as_str());
                if let Err(failed) = self.commit(vec![entry.clone()], Vec::new()).await {
                    tracing::error!(detail = failed.detail, "audit entry waits: {failed}");
                    self.waiting.lock().push(entry);
                }
            }
            Err(error) => self.waiting.lock().push(call.entry(error.code.as_str())),
        }
        result
    }

    /// Commits entries at the end of the chain together with a batch, to the end even if the caller goes away: a chain
    /// whose last commit is still under way can't be gone on with.
    pub(super) async fn commit(
        self: &Arc<Self>,
        entries: Vec<Entry>,
        batch: Vec<Write>,
    ) -> Result<u64> {
        let audit = self.clone();
        tokio::spawn(async move { audit.commit_now(entries, batch).await })
            .await
            .map_err(Error::internal)?
    }

    async fn commit_now(&self, entries: Vec<Entry>, batch: Vec<Write>) -> Result<u64> {
        let mut chain = self.chain.lock().await;
        if chain.doubtful {
            self.settle(&mut chain).await?;
        }
        let mut sealed = Vec::with_capacity(entries.len() + 1);
        if chain.seq == 0 || chain.seq - chain.anchored >= ANCHOR_EVERY {
            sealed.push(self.anchor(&chain).await?);
        }
        let anchors = !sealed.is_empty();
        sealed.extend(entries);
        let (mut seq, mut hash) = (chain.seq, chain.hash.clone());
        for entry in &mut sealed {
            seq += 1;
            entry.chain.clone_from(&chain.id);
            entry.seq = seq;
            entry.prev = std::mem::take(&mut hash);
            entry.hash = entry.digest()?;
            hash.clone_from(&entry.hash);
        }
        let head = Head {
            chain: chain.id.clone(),
            seq,
            hash: hash.clone(),
        };
        let mut all = Vec::with_capacity(batch.len() + sealed.len() + 1);
        all.extend(batch);
        for entry in &sealed {
            all.push(Write::put(&ENTRIES, entry.id(), entry)?.expecting(Expect::Absent));
        }
        all.push(Write::put(&HEADS, chain.id.clone(), &head)?);
        chain.doubtful = true;
        let revision = self.records.apply(all).await?;
        chain.doubtful = false;
        if anchors {
            chain.anchored = chain.seq + 1;
        }
        (chain.seq, chain.hash) = (seq, hash);
        Ok(revision)
    }

    /// After a failed commit: takes up what the store has of the chain.
    async fn settle(&self, chain: &mut Chain) -> Result<()> {
        let head: Option<Head> = self.records.read(&HEADS, &chain.id).await?;
        if let Some(head) = head {
            (chain.seq, chain.hash) = (head.seq, head.hash);
        }
        chain.doubtful = false;
        Ok(())
    }

    /// An entry with the heads that have moved since the last anchor of any chain.
    async fn anchor(&self, chain: &Chain) -> Result<Entry> {
        let last = Query {
            all: vec![Condition::is("action", ANCHOR)],
            sort: Some(kernel::records::Sort {
                field: String::new(),
                descending: true,
            }),
            limit: 1,
            ..Query::default()
        };
        let since = self.records.find(&ENTRIES, &last).await?;
        // From the batch of the last anchor on: that batch moved its own chain's head too.
        let since = since.first().map_or(0, |r| r.revision.saturating_sub(1));
        let moved = Query::by(Condition::After(since));
        let heads: Vec<Head> = self.records.list(&HEADS, &moved).await?;
        let heads = heads.into_iter().filter(|h| h.chain != chain.id);
        let detail: BTreeMap<String, String> = heads
            .map(|h| (h.chain, format!("{} {}", h.seq, h.hash)))
            .collect();
        Ok(Entry {
            chain: String::new(),
            seq: 0,
            at: time::now(),
            actor: Actor {
                id: "system".into(),
                name: "CityMind".into(),
                via: "system".into(),
                address: String::new(),
            },
            action: ANCHOR.to_owned(),
            subject: String::new(),
            outcome: "ok".to_owned(),
            effects: false,
            request: String::new(),
            elapsed_ms: 0,
            detail,
            prev: String::new(),
            hash: String::new(),
        })
    }
}
