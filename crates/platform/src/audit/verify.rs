//! Finding what was changed in the log or taken away from it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use kernel::{
    Error, ErrorCode, Result,
    records::{Condition, Query, Sort},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Audit, ENTRIES, HEADS,
    chain::Head,
    entry::{ANCHOR, Entry, Seal},
};

/// Entries read at a time.
const PAGE: u64 = 1_000;

/// The first broken place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Broken {
    /// Where: the chain and number, or the line of a file.
    pub place: String,
    /// What is wrong, in Chinese.
    pub reason: String,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// How many entries are sound, up to the broken one.
    pub entries: u64,
    /// In how many chains.
    pub chains: u64,
    /// The first broken place; none if the log is whole.
    pub broken: Option<Broken>,
}

/// Heads that some anchor, the store or a seal vouches for: chain → number → hashes, and who says so. Where they disagree
/// one of them was changed.
#[derive(Default)]
struct Vouched(HashMap<String, BTreeMap<u64, BTreeMap<String, String>>>);

impl Vouched {
    fn add(&mut self, chain: &str, seq: u64, hash: &str, by: &str) {
        let of_chain = self.0.entry(chain.to_owned()).or_default();
        let hashes = of_chain.entry(seq).or_default();
        hashes.insert(hash.to_owned(), by.to_owned());
    }

    /// The heads in an anchor's detail, or in a seal.
    fn add_heads(
        &mut self,
        heads: &BTreeMap<String, String>,
        by: &str,
    ) -> std::result::Result<(), String> {
        for (chain, head) in heads {
            let parsed = head
                .split_once(' ')
                .and_then(|(seq, hash)| Some((seq.parse().ok()?, hash)));
            let Some((seq, hash)) = parsed else {
                return Err(format!("“{by}”中的链头“{head}”无法识别"));
            };
            self.add(chain, seq, hash, by);
        }
        Ok(())
    }
}

/// Walks entries in order and holds them against each other.
struct Walk {
    vouched: Vouched,
    /// Where the store's heads say that each chain ends; none of a chain that was gone on with meanwhile.
    heads: Option<HashMap<String, Option<u64>>>,
    entries: u64,
    ended: HashMap<String, (u64, String)>,
    chain: String,
    seq: u64,
    hash: String,
}

impl Walk {
    fn new(vouched: Vouched) -> Self {
        Self {
            vouched,
            heads: None,
            entries: 0,
            ended: HashMap::new(),
            chain: String::new(),
            seq: 0,
            hash: String::new(),
        }
    }

    fn step(&mut self, entry: &Entry) -> std::result::Result<(), String> {
        if entry.chain != self.chain {
            self.leave();
            if self.ended.contains_key(&entry.chain) {
                return Err("条目的次序被打乱：同一条链被分成了几段".into());
            }
            self.chain.clone_from(&entry.chain);
        }
        if entry.seq != self.seq + 1 {
            return Err(format!(
                "链中缺少第 {} 条，或次序被打乱（这里是第 {} 条）",
                self.seq + 1,
                entry.seq
            ));
        }
        if entry.prev != self.hash {
            return Err("与前一条的哈希不相接：前一条被改动或替换".into());
        }
        let digest = entry.digest().map_err(|e| e.to_string())?;
        if entry.hash != digest {
            return Err("内容与哈希不符：这一条被改动".into());
        }
        let vouched = self.vouched.0.get(&entry.chain);
        let hashes = vouched.and_then(|v| v.get(&entry.seq)).into_iter();
        if let Some((_, by)) = hashes.flatten().find(|(hash, _)| **hash != entry.hash) {
            return Err(format!(
                "与“{by}”记下的哈希不符：这条链被整段改写，或记下的哈希被改动"
            ));
        }
        self.seq = entry.seq;
        self.hash.clone_from(&entry.hash);
        self.entries += 1;
        Ok(())
    }

    fn leave(&mut self) {
        if !self.chain.is_empty() {
            let head = (self.seq, std::mem::take(&mut self.hash));
            self.ended.insert(std::mem::take(&mut self.chain), head);
        }
        self.seq = 0;
        self.hash.clear();
    }

    /// Every chain must reach as far as somebody vouches for, and no further than its head.
    fn finish(&mut self) -> Option<Broken> {
        self.leave();
        for (chain, (seq, _)) in &self.ended {
            let Some(heads) = &self.heads else { break };
            let (from, reason) = match heads.get(chain) {
                None => (*seq, "这条链的链头记录不见了".to_owned()),
                Some(Some(head)) if head < seq => (
                    head + 1,
                    format!("“链头记录”记下这条链只有 {head} 条，现在有 {seq} 条"),
                ),
                Some(_) => continue,
            };
            return Some(Broken {
                place: format!("链 {chain} 第 {from} 条"),
                reason,
            });
        }
        for (chain, vouched) in &self.vouched.0 {
            let reached = self.ended.get(chain).map_or(0, |(seq, _)| *seq);
            if let Some((seq, hashes)) = vouched.last_key_value()
                && let Some(by) = hashes.values().next()
                && reached < *seq
            {
                return Some(Broken {
                    place: format!("链 {chain} 第 {} 条", reached + 1),
                    reason: format!(
                        "“{by}”记下这条链至少有 {seq} 条，现在只有 {reached} 条：末尾的条目被删去"
                    ),
                });
            }
        }
        None
    }

    fn verdict(&self, broken: Option<Broken>) -> Verdict {
        Verdict {
            entries: self.entries,
            chains: self.ended.len() as u64 + u64::from(!self.chain.is_empty()),
            broken,
        }
    }
}

fn place(entry: &Entry) -> String {
    format!("链 {} 第 {} 条", entry.chain, entry.seq)
}

fn anchors_of(entry: &Entry, vouched: &mut Vouched) -> std::result::Result<(), String> {
    vouched.add_heads(&entry.detail, &format!("锚点 {}", place(entry)))
}

impl Audit {
    /// Holds all entries of the store against each other, against the anchors and against the heads.
    ///
    /// # Errors
    /// `Storage`; a broken log is no error.
    pub async fn verify(self: &Arc<Self>) -> Result<Verdict> {
        self.flush().await?;
        // Entries that other processes write meanwhile come after what is looked at.
        let until = self.records.revision().await?;
        let mut vouched = Vouched::default();
        let mut heads = HashMap::new();
        for head in self.records.find(&HEADS, &Query::default()).await? {
            let settled = head.revision <= until;
            match serde_json::from_value::<Head>(head.body) {
                Ok(h) if h.chain == head.id => {
                    if settled {
                        vouched.add(&h.chain, h.seq, &h.hash, "链头记录");
                    }
                    heads.insert(h.chain, settled.then_some(h.seq));
                }
                _ => {
                    return Ok(Walk::new(vouched).verdict(Some(Broken {
                        place: format!("链 {} 的链头记录", head.id),
                        reason: "链头记录被改动，无法识别".into(),
                    })));
                }
            }
        }
        let found = self
            .walk(until, Some(Condition::is("action", ANCHOR)), |entry| {
                // An anchor that can't be read is found below, in its chain.
                let _ = anchors_of(entry, &mut vouched);
                Ok(())
            })
            .await?;
        if found.is_some() {
            return Ok(Walk::new(vouched).verdict(found));
        }
        let mut walk = Walk::new(vouched);
        walk.heads = Some(heads);
        let broken = self.walk(until, None, |entry| walk.step(entry)).await?;
        let broken = match broken {
            Some(broken) => Some(broken),
            None => walk.finish(),
        };
        Ok(walk.verdict(broken))
    }

    /// All entries in order, up to the first that `step` finds wrong.
    async fn walk(
        &self,
        until: u64,
        only: Option<Condition>,
        mut step: impl FnMut(&Entry) -> std::result::Result<(), String>,
    ) -> Result<Option<Broken>> {
        let after = Condition::Not(Box::new(Condition::After(until)));
        let mut query = Query {
            all: [after].into_iter().chain(only).collect(),
            limit: PAGE,
            ..Query::default()
        };
        loop {
            let page = self.records.find(&ENTRIES, &query).await?;
            for record in &page {
                let entry: Entry = match serde_json::from_value(record.body.clone()) {
                    Ok(entry) => entry,
                    Err(e) => {
                        return Ok(Some(Broken {
                            place: format!("条目 {}", record.id),
                            reason: format!("条目被改动，无法识别（{e}）"),
                        }));
                    }
                };
                let right = if entry.id() == record.id {
                    step(&entry)
                } else {
                    Err("条目被移到了别处".into())
                };
                if let Err(reason) = right {
                    return Ok(Some(Broken {
                        place: place(&entry),
                        reason,
                    }));
                }
            }
            if (page.len() as u64) < PAGE {
                return Ok(None);
            }
            query.offset += PAGE;
        }
    }

    /// Writes the whole log, a canonical line per entry and a seal, which [`verify_lines`] checks alone.
    ///
    /// # Errors
    /// `Storage`, and what `write` returns.
    pub async fn export(
        self: &Arc<Self>,
        mut write: impl FnMut(&str) -> Result<()>,
    ) -> Result<u64> {
        self.flush().await?;
        let until = self.records.revision().await?;
        let (mut entries, mut heads) = (0, BTreeMap::new());
        let mut failed = None;
        let broken = self
            .walk(until, None, |entry| {
                entries += 1;
                heads.insert(entry.chain.clone(), format!("{} {}", entry.seq, entry.hash));
                let written = entry.line().and_then(|line| write(&line));
                written.map_err(|e| {
                    let reason = e.to_string();
                    failed = Some(e);
                    reason
                })
            })
            .await?;
        if let Some(error) = failed {
            return Err(error);
        }
        if let Some(broken) = broken {
            return Err(Error::new(
                ErrorCode::SourceChanged,
                format!(
                    "审计日志已损坏，不能导出：{}，{}。",
                    broken.place, broken.reason
                ),
            ));
        }
        write(&Seal::on(entries, time::now(), heads)?.line()?)?;
        Ok(entries)
    }

    /// Entries that match, the latest first.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) async fn search(
        &self,
        all: Vec<Condition>,
        offset: u64,
        limit: u64,
    ) -> Result<(Vec<Entry>, u64)> {
        let total = self.records.count(&ENTRIES, &all).await?;
        let query = Query {
            all,
            sort: Some(Sort {
                field: "at".into(),
                descending: true,
            }),
            offset,
            limit,
        };
        Ok((self.records.list(&ENTRIES, &query).await?, total))
    }
}

enum Line {
    Entry(Box<Entry>),
    Seal(Seal),
}

/// A line that is exactly the canonical form of what it says.
fn read(line: &str) -> std::result::Result<Line, String> {
    let changed = |e: serde_json::Error| format!("这一行被改动，无法识别（{e}）");
    let sealed = line.starts_with(r#"{"sealed":"#);
    let (parsed, canonical) = if sealed {
        let seal: Seal = serde_json::from_str(line).map_err(changed)?;
        if seal.digest().ok().as_ref() != Some(&seal.hash) {
            return Err("封签与哈希不符：封签被改动".into());
        }
        let canonical = seal.line();
        (Line::Seal(seal), canonical)
    } else {
        let entry: Entry = serde_json::from_str(line).map_err(changed)?;
        let canonical = entry.line();
        (Line::Entry(Box::new(entry)), canonical)
    };
    if canonical.ok().as_deref() == Some(line) {
        Ok(parsed)
    } else {
        Err("这一行被改动：不是导出的写法".into())
    }
}

/// Checks an export alone: every byte of it.
pub fn verify_lines(text: &[u8]) -> Verdict {
    let mut walk = Walk::new(Vouched::default());
    let broken = check(text, &mut walk).err();
    walk.verdict(broken)
}

fn check(text: &[u8], walk: &mut Walk) -> std::result::Result<(), Broken> {
    let at = |n: usize, reason: String| Broken {
        place: format!("第 {n} 行"),
        reason,
    };
    let text = std::str::from_utf8(text).map_err(|e| {
        let n = text[..e.valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1;
        at(n, "不是 UTF-8 文本：这一行被改动".into())
    })?;
    if text.trim().is_empty() {
        return Err(at(1, "文件是空的".into()));
    }
    // What anchors vouch for may precede them.
    for line in text.lines() {
        if let Ok(Line::Entry(entry)) = read(line)
            && entry.action == ANCHOR
        {
            // An anchor that can't be read is found below, in its place.
            let _ = anchors_of(&entry, &mut walk.vouched);
        }
    }
    let mut seal = None;
    let mut lines = 0;
    for (n, line) in text.lines().enumerate() {
        lines = n + 1;
        if seal.is_some() {
            return Err(at(lines, "封签之后还有内容".into()));
        }
        match read(line).map_err(|reason| at(lines, reason))? {
            Line::Seal(found) => seal = Some(found),
            Line::Entry(entry) => {
                walk.step(&entry).map_err(|reason| at(lines, reason))?;
            }
        }
    }
    let Some(seal) = seal else {
        return Err(at(lines, "缺少末尾的封签：文件被截断".into()));
    };
    if !text.ends_with('\n') || text.contains('\r') {
        return Err(at(lines, "行尾被改动".into()));
    }
    if seal.sealed != walk.entries {
        return Err(at(
            lines,
            format!("封签记下 {} 条，文件里有 {} 条", seal.sealed, walk.entries),
        ));
    }
    walk.leave();
    let ended: BTreeMap<String, String> = walk
        .ended
        .iter()
        .map(|(chain, (seq, hash))| (chain.clone(), format!("{seq} {hash}")))
        .collect();
    if ended != seal.heads {
        return Err(at(lines, "封签记下的链头与条目不符".into()));
    }
    walk.finish().map_or(Ok(()), Err)
}
