//! Two wordings of a document, clause by clause.
//!
//! Clauses are aligned by what they say first and by their number only then, because numbers shift with every clause
//! that is put in or taken out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
    time::{Duration, Instant},
};

use documents::Clause;
use lang::token::normalise;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use crate::{record::ContentRecord, view::path};

/// Two clauses that share this part of their pairs of characters (Dice's coefficient) say the same in other words.
const ALIKE: f64 = 0.5;

/// A pair of characters that more clauses hold is no way to find a clause by.
const COMMON: usize = 64;

/// Unchanged characters between two changes, of which fewer are shown as changed with them.
const ISLAND: usize = 2;

/// The longest that the characters of one clause are compared; after it, differences are coarser.
const PATIENCE: Duration = Duration::from_millis(200);

/// What became of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ClauseFate")]
pub enum Fate {
    /// 未变
    Same,
    /// 移动: the same words under another number or heading.
    Moved,
    /// 修改
    Changed,
    /// 新增
    Added,
    /// 删除
    Removed,
}

/// How many clauses became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClauseChanges")]
pub struct Changes {
    /// New clauses.
    pub added: usize,
    /// Clauses in other words.
    pub changed: usize,
    /// Clauses that are gone.
    pub removed: usize,
    /// The same words under another number or heading.
    pub moved: usize,
    /// The same clauses.
    pub same: usize,
}

/// A clause on one side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClauseSide")]
pub struct Side {
    /// Its ordinal in its document.
    pub clause: usize,
    /// The headings that lead to it, and its label.
    pub path: String,
    /// Its text.
    pub text: String,
    /// The stretches of the text that the other side doesn't have, in characters: start and end.
    pub spans: Vec<(usize, usize)>,
}

/// A clause in both wordings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClausePair")]
pub struct Pair {
    /// What became of it.
    pub fate: Fate,
    /// As it was; missing where it is new.
    pub old: Option<Side>,
    /// As it is; missing where it is gone.
    pub new: Option<Side>,
}

/// A wording to compare: the structure and the text that it speaks of.
#[derive(Clone, Copy)]
pub(crate) struct Wording<'a> {
    clauses: &'a [Clause],
    text: &'a str,
}

impl<'a> Wording<'a> {
    pub(crate) fn new(content: &'a ContentRecord, text: &'a str) -> Self {
        Self {
            clauses: &content.clauses,
            text,
        }
    }

    fn text(&self, at: usize) -> &'a str {
        self.clauses
            .get(at)
            .and_then(|c| self.text.get(c.span.clone()))
            .unwrap_or_default()
    }

    /// What a clause says, without its number, blanks and differences of width.
    fn says(&self, at: usize) -> String {
        let text = self.text(at);
        let label = &self.clauses[at].label;
        let said = text.strip_prefix(label.as_str()).unwrap_or(text);
        normalise(said)
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect()
    }

    fn place(&self, at: usize) -> (&'a [String], &'a str) {
        let clause = &self.clauses[at];
        (&clause.path, &clause.label)
    }

    fn side(&self, at: usize, spans: Vec<(usize, usize)>) -> Side {
        let (headings, label) = self.place(at);
        Side {
            clause: at,
            path: path(headings, label),
            text: self.text(at).to_owned(),
            spans,
        }
    }
}

/// Which clause of one wording is which of the other: `(old, new)`, in the order of the new one, gone clauses where they
/// stood.
struct Alignment {
    /// For every new clause the old one.
    of_new: Vec<Option<usize>>,
    /// For every old clause the new one.
    of_old: Vec<Option<usize>>,
    old_says: Vec<String>,
    new_says: Vec<String>,
}

impl Alignment {
    fn of(old: Wording<'_>, new: Wording<'_>) -> Self {
        let mut out = Self {
            of_new: vec![None; new.clauses.len()],
            of_old: vec![None; old.clauses.len()],
            old_says: (0..old.clauses.len()).map(|at| old.says(at)).collect(),
            new_says: (0..new.clauses.len()).map(|at| new.says(at)).collect(),
        };
        out.by_same_words(old, new);
        out.by_similar_words(old, new);
        out.by_number(old, new);
        out
    }

    fn pair(&mut self, old: usize, new: usize) {
        self.of_new[new] = Some(old);
        self.of_old[old] = Some(new);
    }

    fn open_old(&self) -> Vec<usize> {
        (0..self.of_old.len())
            .filter(|&at| self.of_old[at].is_none())
            .collect()
    }

    fn open_new(&self) -> Vec<usize> {
        (0..self.of_new.len())
            .filter(|&at| self.of_new[at].is_none())
            .collect()
    }

    fn by_same_words(&mut self, old: Wording<'_>, new: Wording<'_>) {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for at in 0..old.clauses.len() {
            places
                .entry(self.old_says[at].clone())
                .or_default()
                .push(at);
        }
        // What stands under the same number first, so that a clause that occurs twice stays where it was.
        for same_place in [true, false] {
            for at in self.open_new() {
                let Some(candidates) = places.get_mut(&self.new_says[at]) else {
                    continue;
                };
                let fits = candidates
                    .iter()
                    .position(|&o| !same_place || old.place(o) == new.place(at));
                if let Some(fits) = fits {
                    let from = candidates.remove(fits);
                    self.pair(from, at);
                }
            }
        }
    }

    fn by_similar_words(&mut self, old: Wording<'_>, new: Wording<'_>) {
        let olds: Vec<(usize, BTreeSet<[char; 2]>)> = self
            .open_old()
            .into_iter()
            .map(|at| (at, pairs(&self.old_says[at])))
            .collect();
        let mut holding: BTreeMap<[char; 2], Vec<usize>> = BTreeMap::new();
        for (place, (_, held)) in olds.iter().enumerate() {
            for pair in held {
                holding.entry(*pair).or_default().push(place);
            }
        }
        let mut likely = Vec::new();
        for at in self.open_new() {
            let held = pairs(&self.new_says[at]);
            let candidates: BTreeSet<usize> = held
                .iter()
                .filter_map(|pair| holding.get(pair))
                .filter(|places| places.len() <= COMMON)
                .flatten()
                .copied()
                .collect();
            for place in candidates {
                let (from, theirs) = &olds[place];
                let shared = held.intersection(theirs).count();
                let alike = 2.0 * shared as f64 / (held.len() + theirs.len()).max(1) as f64;
                if alike >= ALIKE {
                    let same_number = old.clauses[*from].label == new.clauses[at].label;
                    likely.push((alike, same_number, *from, at));
                }
            }
        }
        likely.sort_by(|a, b| {
            b.0.total_cmp(&a.0)
                .then(b.1.cmp(&a.1))
                .then((a.2, a.3).cmp(&(b.2, b.3)))
        });
        for (_, _, from, at) in likely {
            if self.of_old[from].is_none() && self.of_new[at].is_none() {
                self.pair(from, at);
            }
        }
    }

    fn by_number(&mut self, old: Wording<'_>, new: Wording<'_>) {
        let mut places: HashMap<(&[String], &str), usize> = HashMap::new();
        let mut numbers: HashMap<&str, Vec<usize>> = HashMap::new();
        for at in self.open_old() {
            places.entry(old.place(at)).or_insert(at);
            numbers.entry(&old.clauses[at].label).or_default().push(at);
        }
        for at in self.open_new() {
            let label = new.clauses[at].label.as_str();
            // An article's number is unique in its document, an item's only under its headings.
            let by_number = || match numbers.get(label).map(Vec::as_slice) {
                Some([one]) if label.starts_with('第') => Some(*one),
                _ => None,
            };
            let from = places.get(&new.place(at)).copied().or_else(by_number);
            if let Some(from) = from.filter(|&o| self.of_old[o].is_none()) {
                self.pair(from, at);
            }
        }
    }

    fn fate(&self, old: Wording<'_>, from: usize, new: Wording<'_>, at: usize) -> Fate {
        if self.old_says[from] != self.new_says[at] {
            Fate::Changed
        } else if old.place(from) == new.place(at) {
            Fate::Same
        } else {
            Fate::Moved
        }
    }

    /// Both sides' clauses in the order of the new wording; a clause that is gone follows the one that it followed.
    fn in_order(&self) -> Vec<(Option<usize>, Option<usize>)> {
        let mut out = Vec::with_capacity(self.of_new.len());
        let mut told = vec![false; self.of_old.len()];
        let mut gone_after = |from: usize, out: &mut Vec<(Option<usize>, Option<usize>)>| {
            let mut at = from;
            while at < self.of_old.len() && self.of_old[at].is_none() {
                if !std::mem::replace(&mut told[at], true) {
                    out.push((Some(at), None));
                }
                at += 1;
            }
        };
        gone_after(0, &mut out);
        for (at, from) in self.of_new.iter().enumerate() {
            out.push((*from, Some(at)));
            if let Some(from) = from {
                gone_after(from + 1, &mut out);
            }
        }
        out
    }
}

fn pairs(text: &str) -> BTreeSet<[char; 2]> {
    let chars: Vec<char> = text.chars().collect();
    chars.windows(2).map(|w| [w[0], w[1]]).collect()
}

/// How many clauses became what.
pub(crate) fn count(old: Wording<'_>, new: Wording<'_>) -> Changes {
    let alignment = Alignment::of(old, new);
    let mut out = Changes::default();
    for (at, from) in alignment.of_new.iter().enumerate() {
        match from.map(|from| alignment.fate(old, from, new, at)) {
            None => out.added += 1,
            Some(Fate::Same) => out.same += 1,
            Some(Fate::Moved) => out.moved += 1,
            Some(_) => out.changed += 1,
        }
    }
    out.removed = alignment.open_old().len();
    out
}

/// Every clause of both wordings, in the order of the new one.
pub(crate) fn compare(old: Wording<'_>, new: Wording<'_>) -> Vec<Pair> {
    let alignment = Alignment::of(old, new);
    let pairs = alignment.in_order().into_iter();
    pairs
        .map(|pair| match pair {
            (Some(from), Some(at)) => {
                let fate = alignment.fate(old, from, new, at);
                let (before, after) = if fate == Fate::Changed {
                    differences(old.text(from), new.text(at))
                } else {
                    (Vec::new(), Vec::new())
                };
                Pair {
                    fate,
                    old: Some(old.side(from, before)),
                    new: Some(new.side(at, after)),
                }
            }
            (from, at) => Pair {
                fate: if from.is_some() {
                    Fate::Removed
                } else {
                    Fate::Added
                },
                old: from.map(|from| old.side(from, Vec::new())),
                new: at.map(|at| new.side(at, Vec::new())),
            },
        })
        .collect()
}

/// Stretches of characters, start and end.
type Spans = Vec<(usize, usize)>;

/// The stretches of two texts in which they differ, in characters (Myers 1986).
fn differences(old: &str, new: &str) -> (Spans, Spans) {
    let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let deadline = Some(Instant::now() + PATIENCE);
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &old, &new, deadline);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let (mut from, mut to) = (0, 0);
    let mut gap = usize::MAX;
    for op in ops {
        let (gone, come) = match op {
            DiffOp::Equal { len, .. } => {
                gap = len;
                from += len;
                to += len;
                continue;
            }
            DiffOp::Delete { old_len, .. } => (old_len, 0),
            DiffOp::Insert { new_len, .. } => (0, new_len),
            DiffOp::Replace {
                old_len, new_len, ..
            } => (old_len, new_len),
        };
        let join = gap < ISLAND;
        push(&mut before, from..from + gone, join);
        push(&mut after, to..to + come, join);
        from += gone;
        to += come;
        gap = usize::MAX;
    }
    let real = |spans: Spans| spans.into_iter().filter(|(from, to)| from < to).collect();
    (real(before), real(after))
}

fn push(spans: &mut Spans, range: Range<usize>, join: bool) {
    match spans.last_mut() {
        Some((_, end)) if join || *end == range.start => *end = range.end,
        _ => spans.push((range.start, range.end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> ContentRecord {
        let document =
            documents::read("法.md", text.as_bytes(), &documents::Limits::default()).unwrap();
        ContentRecord {
            clauses: document.clauses,
            outline: document.outline,
            notes: Vec::new(),
            form: None,
            pictures: Vec::new(),
        }
    }

    fn canonical(text: &str) -> String {
        documents::read("法.md", text.as_bytes(), &documents::Limits::default())
            .unwrap()
            .text
    }

    fn law(articles: &[&str]) -> String {
        let numbers = ["一", "二", "三", "四", "五", "六"];
        let body: String = articles
            .iter()
            .zip(numbers)
            .map(|(article, number)| format!("第{number}条　{article}\n\n"))
            .collect();
        format!("# 启明市津贴条例\n\n{body}")
    }

    fn fates(old: &[&str], new: &[&str]) -> Vec<(Fate, Option<String>, Option<String>)> {
        let (old, new) = (law(old), law(new));
        let (a, b) = (content(&old), content(&new));
        let (old, new) = (canonical(&old), canonical(&new));
        let pairs = compare(Wording::new(&a, &old), Wording::new(&b, &new));
        let counted = count(Wording::new(&a, &old), Wording::new(&b, &new));
        let of = |fate| pairs.iter().filter(|p| p.fate == fate).count();
        let told = Changes {
            added: of(Fate::Added),
            changed: of(Fate::Changed),
            removed: of(Fate::Removed),
            moved: of(Fate::Moved),
            same: of(Fate::Same),
        };
        assert_eq!(told, counted);
        let label = |side: Option<Side>| side.map(|s| s.path);
        pairs
            .into_iter()
            .filter(|p| p.fate != Fate::Same)
            .map(|p| (p.fate, label(p.old), label(p.new)))
            .collect()
    }

    const FIRST: &str = "年满八十周岁的老年人，每人每月发放高龄津贴六十元。";
    const SECOND: &str = "申请人应当向户籍所在地的街道办事处提出申请。";
    const THIRD: &str = "本条例由市民政局负责解释。";

    #[test]
    fn a_clause_put_in_moves_the_others_and_changes_none() {
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(
            fates(
                &[FIRST, SECOND, THIRD],
                &[FIRST, "津贴由银行代发，每月十日前到账。", SECOND, THIRD]
            ),
            [
                (Fate::Added, None, some("第二条")),
                (Fate::Moved, some("第二条"), some("第三条")),
                (Fate::Moved, some("第三条"), some("第四条")),
            ]
        );
    }

    #[test]
    fn a_changed_clause_is_found_under_its_new_number() {
        let some = |s: &str| Some(s.to_owned());
        let changed = "申请人应当向户籍所在地的社区服务中心提出申请。";
        assert_eq!(
            fates(&[FIRST, SECOND, THIRD], &[changed, FIRST, THIRD]),
            [
                (Fate::Changed, some("第二条"), some("第一条")),
                (Fate::Moved, some("第一条"), some("第二条")),
            ]
        );
    }

    #[test]
    fn what_shares_no_words_is_the_same_clause_if_it_has_the_same_number() {
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(
            fates(&[FIRST, SECOND], &[FIRST, "另行制定细则。"]),
            [(Fate::Changed, some("第二条"), some("第二条"))]
        );
        assert_eq!(
            fates(&[FIRST, SECOND], &[FIRST]),
            [(Fate::Removed, some("第二条"), None)]
        );
    }

    #[test]
    fn differences_are_the_characters_that_differ() {
        let (old, new) = ("每人每月发放津贴60元。", "每人每月发放高龄津贴100元。");
        let (before, after) = differences(old, new);
        let cut = |text: &str, spans: Spans| -> Vec<String> {
            spans
                .iter()
                .map(|(from, to)| text.chars().skip(*from).take(to - from).collect())
                .collect()
        };
        assert_eq!(cut(old, before), ["6"]);
        assert_eq!(cut(new, after), ["高龄", "10"]);
    }

    proptest::proptest! {
        /// Every clause of both sides is told once, and without the differing stretches both sides are the same.
        #[test]
        fn differences_leave_what_both_share(old in "[甲乙丙丁]{0,30}", new in "[甲乙丙丁]{0,30}") {
            let (before, after) = differences(&old, &new);
            let rest = |text: &str, spans: &Spans| -> String {
                text.chars()
                    .enumerate()
                    .filter(|(at, _)| !spans.iter().any(|(from, to)| (*from..*to).contains(at)))
                    .map(|(_, c)| c)
                    .collect()
            };
            proptest::prop_assert_eq!(rest(&old, &before), rest(&new, &after));
        }
    }
}
