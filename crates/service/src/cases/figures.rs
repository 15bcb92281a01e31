//! How long things take, by service item.

use std::collections::BTreeMap;

use jiff::{
    ToSpan,
    civil::{Date, DateTime, Weekday},
};
use kernel::{
    Error, ErrorCode, Result,
    records::{Condition, Query},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    case::{CASES, Case, CaseStatus},
    desk::CaseDesk,
};

/// Without a period, so many days up to today.
const DAYS: i64 = 30;

/// Cases read at once.
const BATCH: u64 = 500;

/// Which cases are counted.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FiguresInput {
    /// Handed in from this day on; thirty days ago if not said.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// Handed in up to this day; today if not said.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub to: Option<Date>,
}

/// How long things took.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CaseFigures {
    /// The first day.
    #[schemars(with = "String")]
    pub from: Date,
    /// The last day.
    #[schemars(with = "String")]
    pub to: Date,
    /// All items together.
    pub all: ItemFigures,
    /// Each item, the most cases first.
    pub items: Vec<ItemFigures>,
}

/// The figures of an item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct ItemFigures {
    /// Its id; empty for all together.
    pub item_id: String,
    /// Its name.
    pub item: String,
    /// Cases handed in.
    pub cases: usize,
    /// Minutes from the first question to the handing-in: of the case in the middle.
    pub median_minutes: Option<f64>,
    /// The same, which nine of ten cases did not exceed.
    pub p90_minutes: Option<f64>,
    /// Messages that the applicant sent until then: of the case in the middle.
    pub median_turns: Option<f64>,
    /// Decided: approved or rejected.
    pub decided: usize,
    /// Approved.
    pub approved: usize,
    /// Returned at least once.
    pub returned: usize,
    /// Withdrawn.
    pub withdrawn: usize,
    /// Hours from the handing-in to the decision, without Saturdays and Sundays: of the case in the middle.
    pub median_decision_hours: Option<f64>,
    /// Decided after the last day, or not decided yet and late.
    pub overdue: usize,
}

#[derive(Default)]
struct Tally {
    figures: ItemFigures,
    minutes: Vec<f64>,
    turns: Vec<f64>,
    hours: Vec<f64>,
}

impl Tally {
    fn add(&mut self, case: &Case, today: Date) {
        let figures = &mut self.figures;
        figures.cases += 1;
        if let (Some(began), Some(ended)) = (moment(&case.began_at), moment(&case.submitted_at)) {
            self.minutes.push(seconds(began, ended) / 60.0);
        }
        if case.turns > 0 {
            self.turns.push(f64::from(case.turns));
        }
        let was = |status| case.history.iter().any(|e| e.status == status);
        figures.returned += usize::from(was(CaseStatus::Returned));
        figures.withdrawn += usize::from(case.status == CaseStatus::Withdrawn);
        figures.approved += usize::from(case.status == CaseStatus::Approved);
        let decided = matches!(case.status, CaseStatus::Approved | CaseStatus::Rejected);
        let last = case.history.last().and_then(|e| moment(&e.at));
        if decided {
            figures.decided += 1;
            if let (Some(from), Some(to)) = (moment(&case.submitted_at), last) {
                self.hours.push(working_hours(from, to));
                figures.overdue += usize::from(to.date() > case.due);
            }
        } else if case.days_left(today).is_some_and(|d| d < 0) {
            figures.overdue += 1;
        }
    }

    fn finish(mut self) -> ItemFigures {
        self.figures.median_minutes = at(&mut self.minutes, 0.5);
        self.figures.p90_minutes = at(&mut self.minutes, 0.9);
        self.figures.median_turns = at(&mut self.turns, 0.5);
        self.figures.median_decision_hours = at(&mut self.hours, 0.5);
        self.figures
    }
}

impl CaseDesk {
    /// How long the cases of a period took.
    ///
    /// # Errors
    /// `InvalidInput` if the period ends before it begins; `Storage`.
    pub async fn figures(&self, input: &FiguresInput) -> Result<CaseFigures> {
        let today = time::today();
        let to = input.to.unwrap_or(today);
        let from = match input.from {
            Some(from) => from,
            None => to.checked_sub((DAYS - 1).days()).unwrap_or(to),
        };
        if from > to {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "起始日期晚于截止日期，请检查统计期间。",
            ));
        }
        let mut all = Tally::default();
        all.figures.item = "全部事项".to_owned();
        let mut items: BTreeMap<String, Tally> = BTreeMap::new();
        let mut query = Query {
            all: vec![
                Condition::AtLeast("submitted_at".to_owned(), from.to_string().into()),
                // Moments of the last day sort before this.
                Condition::AtMost("submitted_at".to_owned(), format!("{to}U").into()),
            ],
            limit: BATCH,
            ..Query::default()
        };
        loop {
            let found: Vec<Case> = self.records.list(&CASES, &query).await?;
            for case in &found {
                let tally = items.entry(case.item_id.clone()).or_default();
                tally.figures.item_id.clone_from(&case.item_id);
                tally.figures.item.clone_from(&case.item);
                tally.add(case, today);
                all.add(case, today);
            }
            if (found.len() as u64) < BATCH {
                break;
            }
            query.offset += BATCH;
        }
        let mut items: Vec<_> = items.into_values().map(Tally::finish).collect();
        items.sort_by(|a, b| b.cases.cmp(&a.cases).then_with(|| a.item.cmp(&b.item)));
        Ok(CaseFigures {
            from,
            to,
            all: all.finish(),
            items,
        })
    }
}

/// A moment of the city's clock.
fn moment(at: &str) -> Option<DateTime> {
    at.get(..19)?.parse().ok()
}

fn seconds(from: DateTime, to: DateTime) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

/// Hours between two moments, without those of Saturdays and Sundays.
fn working_hours(from: DateTime, to: DateTime) -> f64 {
    let mut total = 0.0;
    let mut at = from;
    while at < to {
        let Ok(next) = at.date().checked_add(1.day()) else {
            break;
        };
        let end = next.to_datetime(jiff::civil::Time::midnight()).min(to);
        if !matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday) {
            total += seconds(at, end);
        }
        at = end;
    }
    round(total / 3600.0)
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The value below which this share lies (nearest rank; the middle of an even number is the mean of two).
fn at(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    let rank = ((count as f64 * share).ceil() as usize).max(1);
    let value = *values.get(rank - 1)?;
    let even = share == 0.5 && count.is_multiple_of(2);
    let value = match values.get(rank).filter(|_| even) {
        Some(next) => f64::midpoint(value, *next),
        None => value,
    };
    Some(round(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekends_are_no_working_time() {
        let hours = |a: &str, b: &str| working_hours(moment(a).unwrap(), moment(b).unwrap());
        // 2026-11-27 is a Friday.
        let friday = "2026-11-27T16:00:00.000+08:00";
        assert_eq!(hours(friday, "2026-11-27T17:30:00.000+08:00"), 1.5);
        assert_eq!(hours(friday, "2026-11-30T09:00:00.000+08:00"), 17.0);
        assert_eq!(hours(friday, "2026-11-29T09:00:00.000+08:00"), 8.0);
        assert_eq!(hours(friday, "2026-11-27T15:00:00.000+08:00"), 0.0);
    }

    #[test]
    fn middle_and_ninth_of_ten() {
        let mut ten: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        assert_eq!(at(&mut ten, 0.5), Some(5.5));
        assert_eq!(at(&mut ten, 0.9), Some(9.0));
        assert_eq!(at(&mut [3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(at(&mut [], 0.5), None);
    }
}
