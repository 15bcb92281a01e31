//! Which policies a business meets, nearly meets, or may meet.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use jiff::civil::Date;
use rules::{
    Facts, Outcome, Value,
    book::{Domain, Field},
    counterfactual::Change,
    sieve::{NEAR, Row, Sieve, Verdict, Way},
};
use rust_decimal::Decimal;

use super::{catalogue::Entry, profile};

/// The most questions that are proposed.
const QUESTIONS: usize = 12;

/// Businesses that a thread takes at a time.
const STRIDE: usize = 64;

/// A policy made ready for many businesses on a day.
pub struct Ready {
    /// The policy.
    pub entry: Arc<Entry>,
    sieve: Option<Sieve>,
    on: Date,
}

/// The policies that hold on a day, made ready.
pub fn ready<'a>(entries: impl IntoIterator<Item = &'a Arc<Entry>>, on: Date) -> Vec<Ready> {
    let held = entries.into_iter().filter(|e| e.policy.holds(on));
    held.map(|entry| Ready::new(entry.clone(), on)).collect()
}

/// A business made ready for many policies.
pub struct Firm {
    /// Its facts.
    pub facts: Facts,
    row: Row,
}

impl Firm {
    /// A business of these facts.
    pub fn new(facts: Facts) -> Self {
        Self {
            row: profile::layout().row(&facts),
            facts,
        }
    }
}

impl Ready {
    /// A policy on a day, whether it holds then or not.
    pub fn new(entry: Arc<Entry>, on: Date) -> Self {
        Self {
            sieve: entry.sieve(on),
            entry,
            on,
        }
    }

    /// Whether it is decided by a sieve: fast.
    pub fn is_fast(&self) -> bool {
        self.sieve.is_some()
    }

    /// What it says of a business.
    pub fn verdict(&self, firm: &Firm) -> Verdict {
        self.verdict_of(&firm.row, || firm.facts.clone())
    }

    /// Whether the rules themselves say the same: for tests and measurements.
    pub fn agrees(&self, verdict: Verdict, firm: &Firm) -> bool {
        self.entry.book.outcome(&firm.facts, self.on) == verdict.outcome()
    }

    fn verdict_of(&self, row: &Row, facts: impl FnOnce() -> Facts) -> Verdict {
        match &self.sieve {
            Some(sieve) => sieve.verdict(row),
            None => match self.entry.book.outcome(&facts(), self.on) {
                Outcome::Eligible => Verdict::Eligible,
                Outcome::Undecided => Verdict::Undecided,
                Outcome::Ineligible => Verdict::Far,
            },
        }
    }

    /// The estimated benefit in yuan, if it is known and a sum of money.
    pub fn worth(&self, firm: &Firm) -> Option<Decimal> {
        let headline = self.entry.policy.headline()?;
        if headline.unit.as_deref() != Some("元") {
            return None;
        }
        match &self.sieve {
            Some(sieve) => sieve.amount(&firm.row),
            None => {
                let assessed = self.entry.book.assess(&firm.facts, self.on);
                let amount = assessed.amounts.into_iter().find(|a| a.headline)?;
                amount.value.as_ref().and_then(Value::number)
            }
        }
    }

    /// The fewest facts whose change would let a refused business qualify, verified by evaluation; nothing if they are more
    /// than [`NEAR`] or cannot be changed.
    pub fn changes(&self, firm: &Firm) -> Option<Vec<Change>> {
        let asked = self.entry.asked(&firm.facts);
        let book = self.entry.movable(&movable(&asked));
        let changes = book.nearest(&asked, self.on)?;
        (1..=NEAR as usize)
            .contains(&changes.len())
            .then_some(changes)
    }

    /// The facts that stand in the way of a near miss, by their labels.
    pub fn in_the_way(&self, verdict: Verdict) -> Vec<String> {
        let Verdict::Near(facts) = verdict else {
            return Vec::new();
        };
        let fields = profile::layout().named(facts);
        fields.into_iter().map(label).collect()
    }
}

fn label(id: &str) -> String {
    let field = profile::fields().iter().find(|f| f.id == id);
    field.map_or_else(|| id.to_owned(), |f| f.label.clone())
}

/// The fields with the values that a business could come to: what it is stays, what should not shrink does not.
fn movable(facts: &Facts) -> Vec<Field> {
    let fields = profile::facts().iter().cloned();
    fields
        .map(|mut field| {
            match (
                profile::way(&field.id),
                &mut field.domain,
                facts.get(&field.id),
            ) {
                (Way::Fixed, domain, _) => *domain = Domain::Text,
                (Way::Up, Domain::Number { min, .. }, Some(Value::Number(now))) => {
                    *min = Some(*now);
                }
                _ => {}
            }
            field
        })
        .collect()
}

/// A question whose answer decides policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The field.
    pub field: &'static str,
    /// How many undecided policies it can settle alone.
    pub settles: usize,
    /// How many undecided policies ask it.
    pub asked_by: usize,
}

/// What to ask of a business, the question first that decides the most policies.
pub fn questions(ready: &[Ready], firm: &Firm, on: Date) -> Vec<Question> {
    let open: Vec<&Ready> = ready
        .iter()
        .filter(|r| r.verdict(firm) == Verdict::Undecided)
        .collect();
    let mut asked: BTreeMap<&'static str, usize> = BTreeMap::new();
    for ready in &open {
        for field in ready
            .entry
            .asks
            .iter()
            .filter(|f| !firm.facts.contains_key(**f))
        {
            *asked.entry(*field).or_default() += 1;
        }
    }
    let layout = profile::layout();
    let mut found: Vec<Question> = Vec::new();
    for (field, asked_by) in asked {
        let Some(fact) = profile::facts().iter().find(|f| f.id == field) else {
            continue;
        };
        let values = samples(&fact.domain, on);
        let mut settled = 0;
        for value in &values {
            let mut row = firm.row.clone();
            layout.set(&mut row, field, Some(value));
            let trial = || {
                let mut facts = firm.facts.clone();
                facts.insert(field.to_owned(), value.clone());
                facts
            };
            settled += open
                .iter()
                .filter(|r| r.verdict_of(&row, trial) != Verdict::Undecided)
                .count();
        }
        found.push(Question {
            field,
            // Rounded up: what settles some policy for some answer is worth more than nothing.
            settles: settled.div_ceil(values.len().max(1)),
            asked_by,
        });
    }
    let place = |f: &str| profile::fields().iter().position(|g| g.id == f);
    found.sort_by_key(|q| {
        (
            std::cmp::Reverse(q.settles),
            std::cmp::Reverse(q.asked_by),
            place(q.field),
        )
    });
    found.truncate(QUESTIONS);
    found
}

/// Answers that stand for all.
fn samples(domain: &Domain, on: Date) -> Vec<Value> {
    match domain {
        Domain::Bool => vec![true.into(), false.into()],
        Domain::Choice(choices) => choices.iter().map(|c| c.as_str().into()).collect(),
        Domain::Choices(choices) => {
            let one = choices.iter().map(|c| Value::List(vec![c.clone()]));
            one.chain([Value::List(Vec::new())]).collect()
        }
        Domain::Number { .. } => {
            let numbers = [0, 1, 10, 100, 100_000, 5_000_000, 50_000_000];
            numbers.into_iter().map(Value::from).collect()
        }
        Domain::Date { .. } => {
            let day = |y: &i16| on.with().year(on.year() - y).day(1).build().ok();
            let years = [0, 1, 2, 3, 5, 10, 30];
            years.iter().filter_map(day).map(Value::Date).collect()
        }
        Domain::Text => Vec::new(),
    }
}

/// How many pairs of business and policy came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The business qualifies.
    pub eligible: usize,
    /// It may.
    pub undecided: usize,
    /// It would with one or two facts different.
    pub near: usize,
    /// It does not.
    pub far: usize,
}

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Eligible => self.eligible += 1,
            Verdict::Undecided => self.undecided += 1,
            Verdict::Near(_) => self.near += 1,
            Verdict::Far => self.far += 1,
        }
    }

    fn add(&mut self, other: Self) {
        self.eligible += other.eligible;
        self.undecided += other.undecided;
        self.near += other.near;
        self.far += other.far;
    }
}

/// Every business against every policy, by so many threads.
pub fn sweep(ready: &[Ready], firms: &[Firm], threads: usize) -> Tally {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let from = next.fetch_add(STRIDE, Ordering::Relaxed);
            let Some(some) = firms.get(from..firms.len().min(from + STRIDE)) else {
                return tally;
            };
            if some.is_empty() {
                return tally;
            }
            for firm in some {
                for policy in ready {
                    tally.count(policy.verdict(firm));
                }
            }
        }
    };
    let mut total = Tally::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Ok(tally) = worker.join() {
                total.add(tally);
            }
        }
    });
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::{reading::read_policies, synthetic};

    const ON: Date = Date::constant(2026, 11, 27);

    fn entries() -> Vec<Arc<Entry>> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/support");
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((path.display().to_string(), text));
        }
        files.sort();
        let read = read_policies(&files).into_iter().map(|(path, read)| {
            let policy = read.unwrap_or_else(|e| panic!("{path}: {e:?}"));
            Arc::new(Entry::new(policy, String::new(), String::new()))
        });
        read.collect()
    }

    fn some(id: &str) -> Ready {
        let entries = entries();
        let entry = entries.iter().find(|e| e.policy.id == id).unwrap();
        Ready::new(entry.clone(), ON)
    }

    #[test]
    fn the_fast_way_says_what_the_rules_say() {
        // On days before, within and after the policies, whose figures change.
        for (seed, day) in [
            (1, ON),
            (2, Date::constant(2025, 8, 1)),
            (3, Date::constant(2031, 2, 28)),
        ] {
            let ready: Vec<Ready> = synthetic::varied(&entries(), seed, 180)
                .into_iter()
                .map(|e| Ready::new(e, day))
                .collect();
            let fast = ready.iter().filter(|r| r.is_fast()).count();
            assert_eq!(
                fast,
                ready.len(),
                "all policies of the demonstration are fast"
            );
            let made = synthetic::businesses(seed, 250, day);
            let mut seeded = synthetic::Seeded::new(seed);
            for mut one in made {
                // Much is unknown of half of them.
                if seeded.chance(50) {
                    one.facts.retain(|_, _| seeded.chance(40));
                }
                let firm = Firm::new(one.facts);
                for policy in &ready {
                    let verdict = policy.verdict(&firm);
                    assert!(
                        policy.agrees(verdict, &firm),
                        "{} on {day}: {verdict:?} of {:?}",
                        policy.entry.policy.id,
                        policy.entry.asked(&firm.facts)
                    );
                }
            }
        }
    }

    #[test]
    fn the_fast_way_computes_what_the_rules_compute() {
        let ready: Vec<Ready> = matching_ready();
        for one in synthetic::businesses(7, 120, ON) {
            let firm = Firm::new(one.facts);
            for policy in &ready {
                let assessed = policy.entry.book.assess(&firm.facts, ON);
                let headline = assessed.amounts.iter().find(|a| a.headline);
                let wanted = headline.and_then(|a| a.value.as_ref()?.number());
                let in_yuan = policy.entry.policy.headline().unwrap().unit.as_deref() == Some("元");
                if in_yuan && headline.is_some() {
                    assert_eq!(policy.worth(&firm), wanted, "{}", policy.entry.policy.id);
                }
            }
        }
    }

    fn matching_ready() -> Vec<Ready> {
        let entries = entries();
        ready(&entries, ON)
    }

    #[test]
    fn a_near_miss_is_told_what_to_change_and_would_qualify_then() {
        let ready = matching_ready();
        let (mut near, mut confirmed) = (0, 0);
        for one in synthetic::businesses(11, 40, ON) {
            let firm = Firm::new(one.facts);
            for policy in &ready {
                let verdict = policy.verdict(&firm);
                if !matches!(verdict, Verdict::Near(_)) {
                    continue;
                }
                near += 1;
                assert!(!policy.in_the_way(verdict).is_empty());
                let Some(changes) = policy.changes(&firm) else {
                    continue;
                };
                confirmed += 1;
                assert!((1..=2).contains(&changes.len()), "{changes:?}");
                let mut facts = firm.facts.clone();
                for change in &changes {
                    // Nobody is told to become something else, or to shrink.
                    assert_ne!(profile::way(&change.field), Way::Fixed, "{change:?}");
                    let before = facts.insert(change.field.clone(), change.value.clone());
                    if let (Way::Up, Some(Value::Number(before)), Value::Number(after)) =
                        (profile::way(&change.field), before, &change.value)
                    {
                        assert!(*after > before, "{change:?}");
                    }
                }
                assert_ne!(policy.entry.book.outcome(&facts, ON), Outcome::Ineligible);
            }
        }
        assert!(near > 20, "only {near}");
        assert!(confirmed * 10 >= near * 8, "{confirmed} of {near}");
    }

    #[test]
    fn threads_count_what_one_counts() {
        let ready = matching_ready();
        let made = synthetic::businesses(3, 300, ON);
        let firms: Vec<Firm> = made.into_iter().map(|m| Firm::new(m.facts)).collect();
        let one = sweep(&ready, &firms, 1);
        assert_eq!(one, sweep(&ready, &firms, 3));
        assert_eq!(
            one.eligible + one.near + one.undecided + one.far,
            ready.len() * 300
        );
        assert!(one.eligible > 300 && one.near > 100, "{one:?}");
        assert_eq!(sweep(&ready, &[], 2), Tally::default());
    }

    #[test]
    fn the_first_question_settles_the_most() {
        let ready = matching_ready();
        let nobody = Firm::new(Facts::new());
        let asked = questions(&ready, &nobody, ON);
        assert!(
            ["industry", "kind", "district"].contains(&asked[0].field),
            "{asked:?}"
        );
        let settles: Vec<usize> = asked.iter().map(|q| q.settles).collect();
        assert!(settles.is_sorted_by(|a, b| a >= b), "{settles:?}");
        let known = synthetic::businesses(5, 1, ON).remove(0);
        let firm = Firm::new(known.facts);
        for question in questions(&ready, &firm, ON) {
            assert!(!firm.facts.contains_key(question.field));
        }
    }

    #[test]
    fn a_policy_counts_only_within_its_days() {
        let entries = entries();
        assert_eq!(ready(&entries, Date::constant(2020, 1, 1)).len(), 0);
        assert!(ready(&entries, ON).len() >= 50);
        assert!(some("green-factory").entry.policy.automatic);
    }

    #[test]
    fn made_up_businesses_are_the_same_for_a_seed_and_sound() {
        let (a, b) = (
            synthetic::businesses(9, 50, ON),
            synthetic::businesses(9, 50, ON),
        );
        let mut codes = std::collections::BTreeSet::new();
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(
                (&a.name, &a.credit_code, &a.facts),
                (&b.name, &b.credit_code, &b.facts)
            );
            assert_eq!(
                lang::identifier::credit_code(&a.credit_code).as_ref(),
                Some(&a.credit_code)
            );
            assert!(codes.insert(&a.credit_code));
            let written = profile::written(&a.facts);
            assert_eq!(profile::read(&written, ON).as_ref(), Ok(&a.facts));
        }
    }
}
