//! The fewest facts whose change makes all conditions met: what a refused citizen wants to know. Found by search over the
//! values where conditions can turn, and every answer is verified by evaluation before it is given (counterfactual
//! explanations after Wachter, Mittelstadt and Russell, 2017, here over rules).

mod axis;
mod search;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    assessment::Outcome,
    book::{Book, Case, Facts},
    compiled::{Layout, Profile, Program},
    expression::Labels,
    value::Value,
};
use axis::Axis;
use search::{Search, Turning};

/// Up to so many changes, all their subsets are looked at.
const ALL_SUBSETS: usize = 10;

/// A fact that would have to be different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The field.
    pub field: String,
    /// Its label.
    pub label: String,
    /// As it is, told; empty if unknown.
    pub from: Option<String>,
    /// As it would have to be, told.
    pub to: String,
    /// The same as a value.
    pub value: Value,
}

/// A book made ready for the question what would have to be different.
pub struct Counterfactual<'a> {
    book: &'a Book,
    on: Date,
    layout: Layout,
    program: Program,
    turning: Vec<Turning>,
}

impl Book {
    /// The fewest facts whose change makes all conditions met; nothing if they are met, or if no change within the bounds of
    /// the fields was found.
    pub fn nearest(&self, facts: &Facts, on: Date) -> Option<Vec<Change>> {
        Counterfactual::new(self, on).nearest(facts)
    }
}

impl<'a> Counterfactual<'a> {
    /// Makes a book ready, for cases on a day.
    pub fn new(book: &'a Book, on: Date) -> Self {
        let layout = Layout::new(book.fields.iter().map(|f| f.id.as_str()));
        let program = Program::new(book, &layout, on);
        let rules = program.rules();
        let turning = rules.map(|rule| Turning::of(book, &layout, &book.rules[rule], on));
        Self {
            turning: turning.collect(),
            book,
            on,
            layout,
            program,
        }
    }

    /// As [`Book::nearest`]. No part of the changes is enough.
    pub fn nearest(&self, facts: &Facts) -> Option<Vec<Change>> {
        let profile = self.layout.profile(facts);
        if self.program.outcome(&profile) != Outcome::Ineligible {
            return None;
        }
        let case = Case {
            book: self.book,
            facts,
            on: self.on,
        };
        let axes = self.book.fields.iter();
        let axes: Vec<_> = axes
            .zip(&profile)
            .map(|(field, present)| Axis::of(field, present.as_ref(), &case))
            .collect();
        let mut search = Search {
            book: self.book,
            program: &self.program,
            turning: &self.turning,
            axes: &axes,
            effort: 0,
        };
        let changed = search.mended(&profile)?;
        let touched: Vec<usize> = (0..profile.len())
            .filter(|at| profile[*at] != changed[*at])
            .collect();
        let (mut changed, touched) = self.fewest(&profile, changed, touched);
        for &at in &touched {
            self.tighten(&mut changed, at, axes[at].as_ref());
        }
        let change = |at: &usize| {
            let field = &self.book.fields[*at];
            let value = changed[*at].as_ref()?;
            Some(Change {
                field: field.id.clone(),
                label: field.label.clone(),
                from: profile[*at].as_ref().map(|v| case.told(&field.id, v)),
                to: case.told(&field.id, value),
                value: value.clone(),
            })
        };
        Some(touched.iter().filter_map(change).collect())
    }

    fn allows(&self, profile: &Profile) -> bool {
        self.program.outcome(profile) != Outcome::Ineligible
    }

    /// The smallest part of the changes that is enough.
    fn fewest(
        &self,
        before: &Profile,
        mut changed: Profile,
        mut touched: Vec<usize>,
    ) -> (Profile, Vec<usize>) {
        let with = |kept: &[usize], changed: &Profile| {
            let mut profile = before.clone();
            for &at in kept {
                profile[at].clone_from(&changed[at]);
            }
            profile
        };
        // Of many changes, first those that are not needed one by one.
        while touched.len() > ALL_SUBSETS {
            let needless = (0..touched.len()).find_map(|drop| {
                let mut kept = touched.clone();
                kept.remove(drop);
                let profile = with(&kept, &changed);
                self.allows(&profile).then_some((profile, kept))
            });
            let Some((profile, kept)) = needless else {
                return (changed, touched);
            };
            (changed, touched) = (profile, kept);
        }
        let mut subsets: Vec<u32> = (1..1 << touched.len()).collect();
        subsets.sort_by_key(|s| (s.count_ones(), *s));
        for subset in subsets {
            let kept = touched.iter().enumerate();
            let kept: Vec<usize> = kept
                .filter(|(n, _)| subset & (1 << n) != 0)
                .map(|(_, at)| *at)
                .collect();
            let profile = with(&kept, &changed);
            if self.allows(&profile) {
                return (profile, kept);
            }
        }
        (changed, touched)
    }

    /// Brings a changed number or day as near to what it was as the conditions allow.
    fn tighten(&self, changed: &mut Profile, at: usize, axis: Option<&Axis>) {
        let Some(axis) = axis.filter(|a| a.present) else {
            return;
        };
        let Some(mut good) = changed[at].as_ref().and_then(|v| axis.place(v)) else {
            return;
        };
        // The value as it was does not do, or it would not have been changed.
        let mut bad = 0;
        while good.abs_diff(bad) > 1 {
            let middle = bad + (good - bad) / 2;
            let before = changed[at].replace(axis.at(middle));
            if self.allows(changed) {
                good = middle;
            } else {
                changed[at] = before;
                bad = middle;
            }
        }
        changed[at] = Some(axis.at(good));
    }
}
