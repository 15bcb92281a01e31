//! What would have to be different: for random people over the items of the demonstration city.

mod common;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use common::{Dice, TODAY, items, marks, people, profile};
use rules::{Facts, Outcome, counterfactual::Counterfactual};

const PEOPLE: usize = 5_000;

#[derive(Default)]
struct Tally {
    refused: usize,
    nothing: BTreeMap<String, usize>,
    /// How many changes, how often.
    sizes: BTreeMap<usize, usize>,
    /// What is still open once the changes are made, although everything was known.
    open: usize,
    took: Duration,
}

#[test]
fn the_changes_named_are_enough_and_no_part_of_them_is() {
    let items = items();
    let each = people(PEOPLE) / items.len() + 1;
    let mut tally = Tally::default();
    for (n, item) in items.iter().enumerate() {
        let book = item.book();
        let ready = Counterfactual::new(&book, TODAY);
        let marks = marks(&book);
        let mut dice = Dice(n as u64);
        for _ in 0..each {
            let mut facts = profile(&mut dice, item, &book, &marks);
            // A third is in the middle of a dialogue: not everything is known yet.
            let partial = dice.one_in(3);
            if partial {
                facts.retain(|_, _| !dice.one_in(3));
            }
            if book.outcome(&facts, TODAY) != Outcome::Ineligible {
                continue;
            }
            tally.refused += 1;
            let begin = Instant::now();
            let changes = ready.nearest(&facts);
            tally.took += begin.elapsed();
            let Some(changes) = changes else {
                let refusing = book.assess(&facts, TODAY).rules.into_iter();
                let refusing = refusing.filter(|r| r.reason.is_some());
                let rules: Vec<String> = refusing.map(|r| r.id).collect();
                *tally
                    .nothing
                    .entry(format!("{} {}", item.id, rules.join(",")))
                    .or_default() += 1;
                continue;
            };
            *tally.sizes.entry(changes.len()).or_default() += 1;
            let with = |subset: u32| {
                let mut changed: Facts = facts.clone();
                for (n, change) in changes.iter().enumerate() {
                    if subset & (1 << n) != 0 {
                        changed.insert(change.field.clone(), change.value.clone());
                    }
                }
                book.outcome(&changed, TODAY)
            };
            let all = (1_u32 << changes.len()) - 1;
            let flipped = with(all);
            assert_ne!(
                flipped,
                Outcome::Ineligible,
                "{}: {facts:?} {changes:?}",
                item.id
            );
            tally.open += usize::from(!partial && flipped == Outcome::Undecided);
            for subset in 0..all {
                assert_eq!(
                    with(subset),
                    Outcome::Ineligible,
                    "{}: a part is enough: {subset:b} {facts:?} {changes:?}",
                    item.id
                );
            }
        }
    }
    let nothing: usize = tally.nothing.values().sum();
    println!(
        "{} refused, nothing found for {nothing} {:?}; changes {:?}; still open {}; {:?}",
        tally.refused, tally.nothing, tally.sizes, tally.open, tally.took
    );
    assert!(
        nothing * 1000 <= tally.refused,
        "nothing was found for {nothing}"
    );
}
