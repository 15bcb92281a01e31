//! Vectors compared one by one: exact, without an index to build, some milliseconds for a city's clauses.
//!
//! Two files that only grow: `vectors` holds each vector once under its key, `passages` which clauses there are, with the
//! store's revision. Both can be deleted at any time.

mod log;
mod slab;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    fs, io,
    path::Path,
};

use kernel::{
    Error, ErrorCode, Result,
    dense::{Change, Key, VectorIndex, Wanted},
    lexical::{Attributes, Filter, Hit},
};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

use log::Log;
use slab::{Packed, Slab};

/// A file is written anew when more than half of it, and at least so many entries, are of no use.
const WASTE: usize = 10_000;

const KEY: usize = size_of::<Key>();

/// What a frame of `passages` holds.
#[derive(Serialize, Deserialize)]
struct Batch<'a> {
    revision: u64,
    changes: Vec<Placed<'a>>,
}

/// A document's passages; none where it is gone.
#[derive(Serialize, Deserialize)]
struct Placed<'a> {
    document: Cow<'a, str>,
    attributes: Option<Attributes>,
    passages: Vec<(u32, Key)>,
}

struct Document {
    attributes: Attributes,
    passages: Vec<(u32, Key)>,
    /// Clauses whose vector is there, and its place.
    clauses: Vec<u32>,
    places: Vec<u32>,
}

struct State {
    slab: Slab,
    places: HashMap<Key, u32>,
    documents: BTreeMap<String, Document>,
    revision: u64,
    /// Keys without a vector, and the documents that wait for them.
    missing: HashMap<Key, BTreeSet<String>>,
    /// In which order they are asked for: what came last first, since a new policy counts at once.
    queue: VecDeque<Key>,
    skipped: HashSet<Key>,
}

struct Logs {
    vectors: Log,
    passages: Log,
}

/// An exact index of vectors, in a folder.
pub struct FlatVectors {
    state: RwLock<State>,
    logs: Mutex<Logs>,
    dimensions: usize,
    version: String,
}

impl FlatVectors {
    /// Opens the index in a folder of its own. Vectors that another version of an embedder made, or of another length, are
    /// thrown away; so is what can't be read.
    ///
    /// # Errors
    /// `Index`, `StorageFull`.
    pub fn open(folder: &Path, version: &str, dimensions: usize) -> Result<Self> {
        fs::create_dir_all(folder).map_err(fault)?;
        let mut slab = Slab::new(dimensions);
        let mut places = HashMap::new();
        let mut header = None;
        let path = folder.join("vectors");
        let ours = header_of(version, dimensions);
        let mut vectors = Log::open(&path, |frame| match &header {
            None => header = Some(frame == ours.as_bytes()),
            Some(true) => read_vectors(frame, dimensions, &mut slab, &mut places),
            Some(false) => {}
        })
        .map_err(fault)?;
        if header != Some(true) {
            let first = [Cow::Borrowed(ours.as_bytes())];
            vectors.replace(first.into_iter()).map_err(fault)?;
        }
        let mut state = State::new(slab, places);
        let (mut frames, mut readable) = (0, true);
        let passages = Log::open(&folder.join("passages"), |frame| {
            frames += 1;
            match serde_json::from_slice::<Batch<'_>>(frame) {
                Ok(batch) => state.take(batch.changes, batch.revision),
                Err(_) => readable = false,
            }
        })
        .map_err(fault)?;
        let index = Self {
            state: RwLock::new(state),
            logs: Mutex::new(Logs { vectors, passages }),
            dimensions,
            version: version.to_owned(),
        };
        if !readable {
            index.clear()?;
        }
        index.tidy(frames)?;
        Ok(index)
    }

    /// Writes the files anew where much of them is of no use any more.
    fn tidy(&self, frames: usize) -> Result<()> {
        let state = self.state.read();
        let used: HashSet<&Key> = state
            .documents
            .values()
            .flat_map(|d| d.passages.iter().map(|(_, key)| key))
            .collect();
        let waste = state.places.len() - state.places.keys().filter(|k| used.contains(k)).count();
        let documents = state.documents.len();
        let rewrite = waste > WASTE && waste * 2 > state.places.len();
        if frames > WASTE.min(documents * 2 + 16) {
            let batch = Batch {
                revision: state.revision,
                changes: state.documents.iter().map(placed).collect(),
            };
            let frame = serde_json::to_vec(&batch).map_err(Error::internal)?;
            let frames = [Cow::Owned(frame)].into_iter();
            self.logs.lock().passages.replace(frames).map_err(fault)?;
        }
        if rewrite {
            let kept = state.places.iter().filter(|(key, _)| used.contains(key));
            let vectors = kept.map(|(key, place)| {
                let (scale, values) = state.slab.get(*place);
                let mut frame = Vec::with_capacity(KEY + 4 + values.len());
                write_vector(&mut frame, key, scale, values);
                Cow::Owned(frame)
            });
            let header = Cow::Owned(header_of(&self.version, self.dimensions).into_bytes());
            let frames = std::iter::once(header).chain(vectors);
            self.logs.lock().vectors.replace(frames).map_err(fault)?;
        }
        Ok(())
    }
}

fn header_of(version: &str, dimensions: usize) -> String {
    format!("1 {dimensions} {version}")
}

fn placed<'a>((id, document): (&'a String, &Document)) -> Placed<'a> {
    Placed {
        document: Cow::Borrowed(id),
        attributes: Some(document.attributes.clone()),
        passages: document.passages.clone(),
    }
}

fn write_vector(frame: &mut Vec<u8>, key: &Key, scale: f32, values: &[i8]) {
    frame.extend(key);
    frame.extend(scale.to_le_bytes());
    frame.extend(values.iter().map(|v| v.cast_unsigned()));
}

fn read_vectors(frame: &[u8], dimensions: usize, slab: &mut Slab, to: &mut HashMap<Key, u32>) {
    let mut values = Vec::with_capacity(dimensions);
    for row in frame.chunks_exact(KEY + 4 + dimensions) {
        let (Some(key), Some(scale)) = (row.first_chunk::<KEY>(), row[KEY..].first_chunk::<4>())
        else {
            continue;
        };
        values.clear();
        values.extend(row[KEY + 4..].iter().map(|v| v.cast_signed()));
        let place = slab.push(f32::from_le_bytes(*scale), &values);
        to.insert(*key, place);
    }
}

impl State {
    fn new(slab: Slab, places: HashMap<Key, u32>) -> Self {
        Self {
            slab,
            places,
            documents: BTreeMap::new(),
            revision: 0,
            missing: HashMap::new(),
            queue: VecDeque::new(),
            skipped: HashSet::new(),
        }
    }

    fn take(&mut self, changes: Vec<Placed<'_>>, revision: u64) {
        for change in changes {
            let id = change.document.into_owned();
            self.forget(&id);
            if let Some(attributes) = change.attributes {
                for (_, key) in change.passages.iter().rev() {
                    self.skipped.remove(key);
                    if self.places.contains_key(key) {
                        continue;
                    }
                    let waiting = self.missing.entry(*key).or_default();
                    if waiting.is_empty() {
                        self.queue.push_front(*key);
                    }
                    waiting.insert(id.clone());
                }
                let mut document = Document {
                    attributes,
                    passages: change.passages,
                    clauses: Vec::new(),
                    places: Vec::new(),
                };
                document.find(&self.places);
                self.documents.insert(id, document);
            }
        }
        self.revision = revision;
    }

    fn forget(&mut self, id: &str) {
        let Some(document) = self.documents.remove(id) else {
            return;
        };
        for (_, key) in &document.passages {
            if let Some(waiting) = self.missing.get_mut(key) {
                waiting.remove(id);
                if waiting.is_empty() {
                    self.missing.remove(key);
                }
            }
        }
        // Keys that nobody waits for are passed over in the queue; they go with the next look at it.
    }
}

impl Document {
    /// Finds the places of its vectors.
    fn find(&mut self, places: &HashMap<Key, u32>) {
        self.clauses.clear();
        self.places.clear();
        for (clause, key) in &self.passages {
            if let Some(place) = places.get(key) {
                self.clauses.push(*clause);
                self.places.push(*place);
            }
        }
    }
}

impl VectorIndex for FlatVectors {
    fn apply(&self, changes: Vec<Change>, revision: u64) -> Result<()> {
        let placed = |change| match change {
            Change::Replace {
                document,
                attributes,
                passages,
            } => Placed {
                document: Cow::Owned(document),
                attributes: Some(attributes),
                passages,
            },
            Change::Remove { document } => Placed {
                document: Cow::Owned(document),
                attributes: None,
                passages: Vec::new(),
            },
        };
        let batch = Batch {
            revision,
            changes: changes.into_iter().map(placed).collect(),
        };
        let frame = serde_json::to_vec(&batch).map_err(Error::internal)?;
        let mut logs = self.logs.lock();
        logs.passages.append(&frame).map_err(fault)?;
        self.state.write().take(batch.changes, revision);
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.state.read().revision
    }

    fn clear(&self) -> Result<()> {
        let mut logs = self.logs.lock();
        logs.passages.replace(std::iter::empty()).map_err(fault)?;
        let mut state = self.state.write();
        state.documents.clear();
        state.missing.clear();
        state.queue.clear();
        state.skipped.clear();
        state.revision = 0;
        Ok(())
    }

    fn wanted(&self, limit: usize) -> Vec<Wanted> {
        let mut state = self.state.write();
        let State { queue, missing, .. } = &mut *state;
        queue.retain(|key| missing.contains_key(key));
        let state = &*state;
        let mut found = Vec::new();
        let mut told = HashSet::new();
        for key in &state.queue {
            if found.len() >= limit {
                break;
            }
            if state.skipped.contains(key) || !told.insert(*key) {
                continue;
            }
            let waiting = state.missing.get(key).and_then(BTreeSet::first);
            let document = waiting.and_then(|id| state.documents.get_key_value(id));
            let clause = document.and_then(|(_, d)| d.passages.iter().find(|(_, k)| k == key));
            if let (Some((id, _)), Some((clause, _))) = (document, clause) {
                found.push(Wanted {
                    document: id.clone(),
                    clause: *clause,
                    key: *key,
                });
            }
        }
        found
    }

    fn skip(&self, keys: &[Key]) {
        self.state.write().skipped.extend(keys);
    }

    fn waiting(&self) -> (u64, u64) {
        let state = self.state.read();
        let skipped = |k: &&Key| !state.skipped.contains(*k);
        let missing = state.missing.keys().filter(skipped).count();
        let passages: usize = state.documents.values().map(|d| d.passages.len()).sum();
        (missing as u64, passages as u64)
    }

    fn put(&self, vectors: Vec<(Key, Vec<f32>)>) -> Result<()> {
        let mut frame = Vec::with_capacity(vectors.len() * (KEY + 4 + self.dimensions));
        let mut packed = Vec::with_capacity(vectors.len());
        for (key, vector) in vectors {
            if vector.len() != self.dimensions || vector.iter().any(|v| !v.is_finite()) {
                return Err(Error::new(
                    ErrorCode::Index,
                    "嵌入模型给出的向量长度或数值不对，未写入向量索引。",
                )
                .with_detail(format!(
                    "{} instead of {}",
                    vector.len(),
                    self.dimensions
                )));
            }
            let vector = Packed::of(&vector);
            write_vector(&mut frame, &key, vector.scale, &vector.values);
            packed.push((key, vector));
        }
        let mut logs = self.logs.lock();
        logs.vectors.append(&frame).map_err(fault)?;
        let mut state = self.state.write();
        let state = &mut *state;
        let mut touched = BTreeSet::new();
        for (key, vector) in packed {
            if !state.places.contains_key(&key) {
                let place = state.slab.push(vector.scale, &vector.values);
                state.places.insert(key, place);
            }
            touched.extend(state.missing.remove(&key).unwrap_or_default());
        }
        for id in touched {
            if let Some(document) = state.documents.get_mut(&id) {
                document.find(&state.places);
            }
        }
        Ok(())
    }

    fn search(&self, query: &[f32], filter: &Filter, limit: usize) -> Result<Vec<Hit>> {
        if query.len() != self.dimensions {
            return Err(Error::internal("a query of another length"));
        }
        let query = Packed::of(query);
        let state = self.state.read();
        let mut scores = Vec::new();
        let mut best = Best::new(limit);
        for (id, document) in &state.documents {
            if document.places.is_empty() || !filter.admits(id, &document.attributes) {
                continue;
            }
            state.slab.products(&query, &document.places, &mut scores);
            for (clause, score) in document.clauses.iter().zip(&scores) {
                best.offer(*score, id, *clause);
            }
        }
        Ok(best.into_hits())
    }
}

/// The best of many, best first; of equals those that were offered first.
struct Best<'a> {
    limit: usize,
    kept: Vec<(f32, &'a str, u32)>,
    least: f32,
}

impl<'a> Best<'a> {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            kept: Vec::new(),
            least: f32::NEG_INFINITY,
        }
    }

    fn offer(&mut self, score: f32, document: &'a str, clause: u32) {
        if self.limit == 0 || score < self.least {
            return;
        }
        self.kept.push((score, document, clause));
        if self.kept.len() >= self.limit.saturating_mul(2).max(64) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let order = |a: &(f32, &str, u32), b: &(f32, &str, u32)| {
            b.0.total_cmp(&a.0)
                .then_with(|| (a.1, a.2).cmp(&(b.1, b.2)))
        };
        self.kept.sort_unstable_by(order);
        self.kept.truncate(self.limit);
        if self.kept.len() == self.limit {
            self.least = self.kept.last().map_or(f32::NEG_INFINITY, |k| k.0);
        }
    }

    fn into_hits(mut self) -> Vec<Hit> {
        self.cut();
        let hit = |(score, document, clause): (f32, &str, u32)| Hit {
            document: document.to_owned(),
            clause,
            score,
        };
        self.kept.into_iter().map(hit).collect()
    }
}

fn fault(error: io::Error) -> Error {
    let full = matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    );
    if full {
        Error::new(
            ErrorCode::StorageFull,
            "磁盘已满，向量索引没有写入；请清理空间后重试。",
        )
    } else {
        Error::new(
            ErrorCode::Index,
            "向量索引读写失败，请稍后再试；如多次出现，请重建检索索引。",
        )
    }
    .with_detail(error)
}
