//! An index of vectors in memory, and what every implementation of [`VectorIndex`] must do.

use std::collections::{BTreeMap, HashMap, HashSet};

use parking_lot::RwLock;

use crate::{
    Error, Result,
    dense::{Change, Key, VectorIndex, Wanted},
    lexical::{Attributes, Filter, Hit},
};

#[derive(Default)]
struct State {
    documents: BTreeMap<String, (Attributes, Vec<(u32, Key)>)>,
    vectors: HashMap<Key, Vec<f32>>,
    skipped: HashSet<Key>,
    revision: u64,
}

/// A plain index in memory, for tests.
pub struct MemoryVectors {
    state: RwLock<State>,
    dimensions: usize,
}

impl MemoryVectors {
    /// An empty index of vectors of one length.
    pub fn new(dimensions: usize) -> Self {
        Self {
            state: RwLock::default(),
            dimensions,
        }
    }
}

impl State {
    fn missing(&self) -> Vec<Wanted> {
        let mut told = HashSet::new();
        let mut found = Vec::new();
        for (document, (_, passages)) in &self.documents {
            for (clause, key) in passages {
                let known = self.vectors.contains_key(key) || self.skipped.contains(key);
                if !known && told.insert(*key) {
                    found.push(Wanted {
                        document: document.clone(),
                        clause: *clause,
                        key: *key,
                    });
                }
            }
        }
        found
    }
}

impl VectorIndex for MemoryVectors {
    fn apply(&self, changes: Vec<Change>, revision: u64) -> Result<()> {
        let mut state = self.state.write();
        for change in changes {
            match change {
                Change::Replace {
                    document,
                    attributes,
                    passages,
                } => {
                    for (_, key) in &passages {
                        state.skipped.remove(key);
                    }
                    state.documents.insert(document, (attributes, passages));
                }
                Change::Remove { document } => drop(state.documents.remove(&document)),
            }
        }
        state.revision = revision;
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.state.read().revision
    }

    fn clear(&self) -> Result<()> {
        let mut state = self.state.write();
        state.documents.clear();
        state.skipped.clear();
        state.revision = 0;
        Ok(())
    }

    fn wanted(&self, limit: usize) -> Vec<Wanted> {
        let mut missing = self.state.read().missing();
        missing.truncate(limit);
        missing
    }

    fn skip(&self, keys: &[Key]) {
        self.state.write().skipped.extend(keys);
    }

    fn waiting(&self) -> (u64, u64) {
        let state = self.state.read();
        let passages: usize = state.documents.values().map(|(_, p)| p.len()).sum();
        (state.missing().len() as u64, passages as u64)
    }

    fn put(&self, vectors: Vec<(Key, Vec<f32>)>) -> Result<()> {
        if vectors.iter().any(|(_, v)| v.len() != self.dimensions) {
            return Err(Error::new(crate::ErrorCode::Index, "向量长度不对。"));
        }
        self.state.write().vectors.extend(vectors);
        Ok(())
    }

    fn search(&self, query: &[f32], filter: &Filter, limit: usize) -> Result<Vec<Hit>> {
        let state = self.state.read();
        let mut hits = Vec::new();
        for (document, (attributes, passages)) in &state.documents {
            if !filter.admits(document, attributes) {
                continue;
            }
            for (clause, key) in passages {
                if let Some(vector) = state.vectors.get(key) {
                    hits.push(Hit {
                        document: document.clone(),
                        clause: *clause,
                        score: vector.iter().zip(query).map(|(a, b)| a * b).sum(),
                    });
                }
            }
        }
        hits.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then_with(|| (&a.document, a.clause).cmp(&(&b.document, b.clause)))
        });
        hits.truncate(limit);
        Ok(hits)
    }
}

/// A key whose bytes are all the same.
fn key(n: u8) -> Key {
    [n; 16]
}

fn replace(document: &str, space: &str, passages: &[(u32, u8)]) -> Change {
    Change::Replace {
        document: document.to_owned(),
        attributes: Attributes {
            space: space.to_owned(),
            ..Attributes::default()
        },
        passages: passages.iter().map(|(c, k)| (*c, key(*k))).collect(),
    }
}

fn found(index: &dyn VectorIndex, query: [f32; 4], filter: &Filter) -> Vec<(String, u32)> {
    let hits = index.search(&query, filter, 10).expect("search");
    hits.into_iter().map(|h| (h.document, h.clause)).collect()
}

fn place(document: &str, clause: u32) -> (String, u32) {
    (document.to_owned(), clause)
}

const EAST: [f32; 4] = [1.0, 0.0, 0.0, 0.0];
const NORTH: [f32; 4] = [0.0, 1.0, 0.0, 0.0];
const BETWEEN: [f32; 4] = [0.8, 0.6, 0.0, 0.0];

/// Holds an empty index of vectors of length 4 to the contract of [`VectorIndex`].
///
/// # Panics
/// If it does not do what the trait says.
pub fn vector_index_conforms(index: &dyn VectorIndex) {
    let all = Filter::default();
    assert_eq!((index.revision(), index.waiting()), (0, (0, 0)));
    assert_eq!(found(index, EAST, &all), []);
    assert_eq!(index.wanted(5), []);

    // What is placed waits for its vectors, each key once.
    let changes = vec![
        replace("甲", "一", &[(0, 1), (1, 2)]),
        replace("乙", "二", &[(0, 2), (3, 3)]),
    ];
    index.apply(changes, 7).expect("apply");
    assert_eq!((index.revision(), index.waiting()), (7, (3, 4)));
    let mut wanted: Vec<Key> = index.wanted(10).into_iter().map(|w| w.key).collect();
    wanted.sort_unstable();
    assert_eq!(wanted, [key(1), key(2), key(3)]);
    assert_eq!(index.wanted(1).len(), 1);
    assert_eq!(found(index, EAST, &all), []);

    // A vector serves every passage that is made of it.
    let put = |n: u8, v: [f32; 4]| index.put(vec![(key(n), v.to_vec())]);
    put(2, EAST).expect("put");
    assert_eq!(index.waiting(), (2, 4));
    assert_eq!(found(index, EAST, &all), [place("乙", 0), place("甲", 1)]);
    put(1, NORTH).expect("put");
    put(3, BETWEEN).expect("put");
    assert_eq!((index.waiting(), index.wanted(5)), ((0, 4), vec![]));
    let order = [
        place("甲", 0),
        place("乙", 3),
        place("乙", 0),
        place("甲", 1),
    ];
    assert_eq!(found(index, NORTH, &all), order);
    let hits = index.search(&BETWEEN, &all, 2).expect("search");
    assert_eq!(hits.len(), 2);
    assert!((hits[0].score - 1.0).abs() < 0.01 && (hits[1].score - 0.8).abs() < 0.01);
    assert_eq!(index.search(&EAST, &all, 0).expect("search"), []);

    // Filters hold.
    let only = Filter {
        space: Some("一".into()),
        ..Filter::default()
    };
    assert_eq!(found(index, EAST, &only), [place("甲", 1), place("甲", 0)]);
    let hidden = Filter {
        hidden_spaces: vec!["一".into()],
        ..Filter::default()
    };
    assert_eq!(
        found(index, EAST, &hidden),
        [place("乙", 0), place("乙", 3)]
    );

    // A vector of another length is refused and changes nothing.
    assert!(index.put(vec![(key(9), vec![1.0; 3])]).is_err());

    // A changed document is found by what it has now; vectors known before come at once.
    index
        .apply(vec![replace("甲", "一", &[(0, 3), (1, 4)])], 8)
        .expect("apply");
    assert_eq!((index.revision(), index.waiting()), (8, (1, 4)));
    assert_eq!(found(index, BETWEEN, &only), [place("甲", 0)]);

    // What can't be made is not asked for again, until it comes anew.
    index.skip(&[key(4)]);
    assert_eq!((index.wanted(5), index.waiting().0), (vec![], 0));
    index
        .apply(vec![replace("丙", "一", &[(0, 4)])], 9)
        .expect("apply");
    assert_eq!(index.wanted(5).len(), 1);

    // Gone is gone; nobody waits for it.
    let remove = |document: &str| Change::Remove {
        document: document.to_owned(),
    };
    index
        .apply(vec![remove("丙"), remove("甲"), remove("丁")], 10)
        .expect("apply");
    assert_eq!(index.waiting(), (0, 2));
    assert_eq!(found(index, EAST, &only), []);
    index.clear().expect("clear");
    assert_eq!((index.revision(), index.waiting()), (0, (0, 0)));
    assert_eq!(found(index, EAST, &all), []);
}
