//! An index in memory, and what every implementation of [`LexicalIndex`] must do.

use std::collections::{BTreeMap, HashSet};

use parking_lot::RwLock;

use crate::{
    Error, ErrorCode, Result,
    lexical::{
        Attributes, BODY, Bm25f, Change, FIELDS, Filter, Hit, LexicalIndex, Passage, Query, Source,
        TITLE, Term,
    },
};

#[derive(Default)]
struct State {
    documents: BTreeMap<String, (Attributes, Vec<Passage>)>,
    revision: u64,
}

/// A plain index in memory that counts again for every query: for tests.
#[derive(Default)]
pub struct MemoryIndex(RwLock<State>);

fn frequency(passage: &Passage, field: usize, token: &str) -> f32 {
    passage.tokens[field]
        .split(' ')
        .filter(|t| *t == token)
        .count() as f32
}

impl State {
    fn take(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Replace {
                    document,
                    attributes,
                    passages,
                } => {
                    self.documents.insert(document, (attributes, passages));
                }
                Change::Remove { document } => {
                    self.documents.remove(&document);
                }
            }
        }
    }

    fn rarity(&self, token: &str) -> f32 {
        let all = || self.documents.values().flat_map(|(_, passages)| passages);
        let total = all().count() as f32;
        let holding = all()
            .filter(|p| (0..FIELDS).any(|f| frequency(p, f, token) > 0.0))
            .count() as f32;
        (1.0 + (total - holding + 0.5) / (holding + 0.5)).ln()
    }

    fn mean_length(&self, field: usize) -> f32 {
        let lengths = || {
            self.documents
                .values()
                .flat_map(|(_, ps)| ps)
                .map(|p| length(p, field))
        };
        (lengths().sum::<f32>() / lengths().count().max(1) as f32).max(1.0)
    }
}

fn length(passage: &Passage, field: usize) -> f32 {
    passage.tokens[field]
        .split(' ')
        .filter(|t| !t.is_empty())
        .count() as f32
}

impl LexicalIndex for MemoryIndex {
    fn apply(&self, changes: Vec<Change>, revision: u64) -> Result<()> {
        let mut state = self.0.write();
        state.take(changes);
        state.revision = revision;
        Ok(())
    }

    fn rebuild(&self, source: &mut Source<'_>, revision: u64) -> Result<()> {
        let mut state = State {
            revision,
            ..State::default()
        };
        while let Some(changes) = source()? {
            state.take(changes);
        }
        *self.0.write() = state;
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.0.read().revision
    }

    fn clear(&self) -> Result<()> {
        *self.0.write() = State::default();
        Ok(())
    }

    fn admitted(&self, passages: &[(&str, u32)], filter: &Filter) -> Result<Vec<bool>> {
        let state = self.0.read();
        let admitted = |(document, clause): &(&str, u32)| {
            state.documents.get(*document).is_some_and(|(a, held)| {
                filter.admits(document, a) && held.iter().any(|p| p.clause == *clause)
            })
        };
        Ok(passages.iter().map(admitted).collect())
    }

    fn search(&self, query: &Query) -> Result<Vec<Hit>> {
        let state = self.0.read();
        let s = &query.scoring;
        let mean = [TITLE, BODY].map(|f| state.mean_length(f));
        let weigh = |t: &Term| {
            let rarity = state.rarity(&t.token);
            if rarity < query.least_rarity {
                0.0
            } else {
                rarity.powf(s.idf_power)
            }
        };
        let rarity: Vec<f32> = query.terms.iter().map(weigh).collect();
        let mut hits = Vec::new();
        for (document, (attributes, passages)) in &state.documents {
            if !query.filter.admits(document, attributes) {
                continue;
            }
            for passage in passages {
                let mut score = 0.0;
                for (term, rarity) in query.terms.iter().zip(&rarity) {
                    let tf: f32 = (0..FIELDS)
                        .map(|f| {
                            let norm = 1.0 - s.b[f] + s.b[f] * length(passage, f) / mean[f];
                            s.weight[f] * frequency(passage, f, &term.token) / norm
                        })
                        .sum();
                    if tf > 0.0 && *rarity > 0.0 {
                        score += term.weight * rarity * tf * (s.k1 + 1.0) / (tf + s.k1);
                    }
                }
                if score > 0.0 {
                    hits.push(Hit {
                        document: document.clone(),
                        clause: passage.clause,
                        score,
                    });
                }
            }
        }
        hits.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then_with(|| (&a.document, a.clause).cmp(&(&b.document, b.clause)))
        });
        hits.truncate(query.limit);
        Ok(hits)
    }

    fn passages(&self) -> u64 {
        self.0
            .read()
            .documents
            .values()
            .map(|(_, p)| p.len() as u64)
            .sum()
    }

    fn rarity(&self, tokens: &[String]) -> Result<Vec<f32>> {
        let state = self.0.read();
        Ok(tokens.iter().map(|t| state.rarity(t)).collect())
    }
}

/// Plain scoring parameters, for tests of indexes.
const PLAIN: Bm25f = Bm25f {
    k1: 1.2,
    b: [0.5, 0.75],
    weight: [2.0, 1.0],
    idf_power: 1.0,
};

fn passage(clause: u32, title: &str, body: &str) -> Passage {
    Passage {
        clause,
        tokens: [title.to_owned(), body.to_owned()],
    }
}

fn replace(document: &str, attributes: Attributes, passages: Vec<Passage>) -> Change {
    Change::Replace {
        document: document.to_owned(),
        attributes,
        passages,
    }
}

fn query(terms: &[&str], filter: Filter) -> Query {
    let terms = terms
        .iter()
        .map(|t| Term {
            token: (*t).to_owned(),
            weight: 1.0,
        })
        .collect();
    Query {
        terms,
        filter,
        scoring: PLAIN,
        least_rarity: 0.0,
        limit: 10,
    }
}

fn found(index: &dyn LexicalIndex, terms: &[&str], filter: Filter) -> Vec<(String, u32)> {
    let hits = index.search(&query(terms, filter)).expect("search");
    hits.into_iter().map(|h| (h.document, h.clause)).collect()
}

fn fill(index: &dyn LexicalIndex) {
    let dated = |from, until| Attributes {
        space: "公积金".into(),
        region: "启明市".into(),
        kind: "policy".into(),
        issued: from,
        from,
        until,
    };
    let changes = vec![
        replace(
            "old",
            dated(Some(100), Some(199)),
            vec![
                passage(0, "租房 提取", "每月 一千二 租房"),
                passage(1, "租房 提取", "材料 身份证"),
            ],
        ),
        replace(
            "new",
            dated(Some(200), None),
            vec![
                passage(0, "租房 提取", "每月 一千五 租房"),
                passage(1, "租房 提取", "期限 三日"),
            ],
        ),
        replace(
            "other",
            Attributes {
                space: "医保".into(),
                kind: "guide".into(),
                ..Attributes::default()
            },
            vec![passage(0, "门诊", "材料 材料 每月")],
        ),
    ];
    index.apply(changes, 7).expect("apply");
}

/// Checks an empty index for everything [`LexicalIndex`] promises, against the plain index in memory.
///
/// # Panics
/// When it breaks a promise.
pub fn index_conforms(index: &dyn LexicalIndex) {
    assert_eq!((index.revision(), index.passages()), (0, 0));
    assert!(found(index, &["租房"], Filter::default()).is_empty());
    let plain = MemoryIndex::default();
    fill(index);
    fill(&plain);
    assert_eq!((index.revision(), index.passages()), (7, 5));
    scores_conform(index, &plain);
    filters_conform(index);
    hidden_spaces_conform(index);

    index
        .apply(
            vec![
                Change::Remove {
                    document: "old".into(),
                },
                replace("new", Attributes::default(), vec![passage(4, "", "新")]),
            ],
            9,
        )
        .expect("apply");
    assert_eq!((index.revision(), index.passages()), (9, 2));
    assert!(found(index, &["租房"], Filter::default()).is_empty());
    assert_eq!(
        found(index, &["新"], Filter::default()),
        [("new".to_owned(), 4)]
    );
    let asked = [("new", 4), ("new", 0), ("old", 0)];
    let admitted = |filter: &Filter| index.admitted(&asked, filter).expect("admitted");
    assert_eq!(admitted(&Filter::default()), [true, false, false]);
    let elsewhere = Filter {
        documents: vec!["old".into()],
        ..Filter::default()
    };
    assert_eq!(admitted(&elsewhere), [false, false, false]);
    rebuilding_conforms(index);
    index.clear().expect("clear");
    assert_eq!((index.revision(), index.passages()), (0, 0));
    fill(index);
    assert_eq!(index.passages(), 5);
}

/// The index stands at revision 9 with two passages, one of them 新 of the document new.
fn rebuilding_conforms(index: &dyn LexicalIndex) {
    let one = |document: &str, body: &str| {
        vec![replace(
            document,
            Attributes::default(),
            vec![passage(0, "", body)],
        )]
    };
    let stands = || {
        assert_eq!((index.revision(), index.passages()), (9, 2));
        assert_eq!(
            found(index, &["新"], Filter::default()),
            [("new".to_owned(), 4)]
        );
        assert!(found(index, &["重建"], Filter::default()).is_empty());
    };
    let mut given = 0;
    let stopped = index.rebuild(
        &mut || {
            stands();
            given += 1;
            match given {
                1 => Ok(Some(one("first", "重建 之一"))),
                _ => Err(Error::new(ErrorCode::Cancelled, "操作已取消。")),
            }
        },
        11,
    );
    assert_eq!(stopped.map_err(|e| e.code), Err(ErrorCode::Cancelled));
    stands();
    let mut given = 0;
    index
        .rebuild(
            &mut || {
                stands();
                given += 1;
                Ok(match given {
                    1 => Some(one("first", "重建 之一")),
                    // One that was there before is there as it is now.
                    2 => Some(one("new", "重建 之二")),
                    _ => None,
                })
            },
            12,
        )
        .expect("rebuild");
    assert_eq!((index.revision(), index.passages()), (12, 2));
    assert!(found(index, &["新"], Filter::default()).is_empty());
    assert_eq!(
        found(index, &["重建"], Filter::default()),
        [("first".to_owned(), 0), ("new".to_owned(), 0)]
    );
    index.apply(one("new", "再改"), 13).expect("apply");
    assert_eq!((index.revision(), index.passages()), (13, 2));
    index.rebuild(&mut || Ok(None), 14).expect("rebuild");
    assert_eq!((index.revision(), index.passages()), (14, 0));
}

fn scores_conform(index: &dyn LexicalIndex, plain: &MemoryIndex) {
    for terms in [
        &["租房"][..],
        &["每月", "材料"],
        &["材料", "三日", "不存在"],
        &["不存在"],
    ] {
        let (got, want) = (
            index.search(&query(terms, Filter::default())),
            plain.search(&query(terms, Filter::default())),
        );
        let (got, want) = (got.expect("search"), want.expect("search"));
        assert_eq!(got.len(), want.len(), "{terms:?}");
        for (g, w) in got.iter().zip(&want) {
            assert_eq!(
                (&g.document, g.clause),
                (&w.document, w.clause),
                "{terms:?}"
            );
            assert!(
                (g.score - w.score).abs() < 1e-4,
                "{terms:?}: {} is not {}",
                g.score,
                w.score
            );
        }
    }
    let tokens = ["租房", "材料", "不存在"].map(str::to_owned);
    for (g, w) in index
        .rarity(&tokens)
        .expect("rarity")
        .iter()
        .zip(plain.rarity(&tokens).expect("rarity"))
    {
        assert!((g - w).abs() < 1e-4);
    }
    // The one token that most passages hold is passed over; the rare one still finds.
    let rare = Query {
        least_rarity: 1.0,
        ..query(&["每月", "三日"], Filter::default())
    };
    let hits = index.search(&rare).expect("search");
    let found: Vec<_> = hits
        .iter()
        .map(|h| (h.document.as_str(), h.clause))
        .collect();
    assert_eq!(found, [("new", 1)]);
    let one = Query {
        limit: 1,
        ..query(&["每月"], Filter::default())
    };
    assert_eq!(index.search(&one).expect("search").len(), 1);
}

fn filters_conform(index: &dyn LexicalIndex) {
    let documents = |filter: Filter| -> HashSet<String> {
        found(index, &["每月", "期限"], filter)
            .into_iter()
            .map(|(d, _)| d)
            .collect()
    };
    let cases: [(Filter, &[&str]); 9] = [
        (
            Filter {
                in_force: Some(150),
                ..Filter::default()
            },
            &["old", "other"],
        ),
        (
            Filter {
                in_force: Some(199),
                space: Some("公积金".into()),
                ..Filter::default()
            },
            &["old"],
        ),
        (
            Filter {
                in_force: Some(200),
                ..Filter::default()
            },
            &["new", "other"],
        ),
        (
            Filter {
                upcoming_after: Some(150),
                ..Filter::default()
            },
            &["new"],
        ),
        (
            Filter {
                ended_before: Some(200),
                ..Filter::default()
            },
            &["old"],
        ),
        (
            Filter {
                region: Some("天津市".into()),
                ..Filter::default()
            },
            &["other"],
        ),
        (
            Filter {
                kind: Some("guide".into()),
                ..Filter::default()
            },
            &["other"],
        ),
        (
            Filter {
                issued_from: Some(150),
                ..Filter::default()
            },
            &["new"],
        ),
        (
            Filter {
                documents: vec!["new".into(), "none".into()],
                ..Filter::default()
            },
            &["new"],
        ),
    ];
    for (filter, want) in cases {
        let label = format!("{filter:?}");
        assert_eq!(
            documents(filter),
            want.iter().map(|d| (*d).to_owned()).collect(),
            "{label}"
        );
    }
}

fn hidden_spaces_conform(index: &dyn LexicalIndex) {
    let hidden = Filter {
        in_force: Some(150),
        hidden_spaces: vec!["公积金".into(), "没有文件的空间".into()],
        ..Filter::default()
    };
    let hits = found(index, &["每月", "期限"], hidden);
    assert!(
        !hits.is_empty() && hits.iter().all(|(d, _)| d == "other"),
        "{hits:?}"
    );
}
