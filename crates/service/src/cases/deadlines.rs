//! Days that run out: told once the day before, and once when it is over.

use async_trait::async_trait;
use jiff::{ToSpan, civil::Date};
use kernel::{
    Error, ErrorCode, Result,
    records::{Collection, Condition, Expect, Query, Records, Write},
    time,
};
use platform::jobs::{JobKind, Limits, Running};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    case::{CASES, Case},
    desk::CaseDesk,
};

/// What was told of cases already.
pub const REMINDERS: Collection = Collection {
    name: "case_reminders",
    indexed: &[],
};

/// What was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminded {
    /// Cases whose last day is today or tomorrow.
    pub soon: usize,
    /// Cases that are late.
    pub overdue: usize,
}

/// Tells of cases whose last day is near or over, of each once.
///
/// # Errors
/// `Storage`, `StorageFull`.
pub async fn remind(records: &dyn Records, today: Date) -> Result<Reminded> {
    let tomorrow = today.checked_add(1.day()).unwrap_or(today);
    let query = Query {
        all: vec![
            Condition::In(
                "status".to_owned(),
                ["submitted", "accepted"].map(Into::into).to_vec(),
            ),
            Condition::AtMost("due".to_owned(), tomorrow.to_string().into()),
        ],
        ..Query::default()
    };
    let mut reminded = Reminded::default();
    for case in records.list::<Case>(&CASES, &query).await? {
        let Some(left) = case.days_left(today) else {
            continue;
        };
        let overdue = left < 0;
        let id = format!("{}-{}", case.id, if overdue { "overdue" } else { "soon" });
        if records.get(&REMINDERS, &id).await?.is_some() {
            continue;
        }
        let mark = Write::put(&REMINDERS, id, &json!({"at": time::now()}))?;
        let mut told = case.told("service.case_due");
        told.data["days_left"] = left.into();
        let batch = vec![mark.expecting(Expect::Absent), told.write()?];
        match records.apply(batch).await {
            Ok(_) if overdue => reminded.overdue += 1,
            Ok(_) => reminded.soon += 1,
            // Another process told of it meanwhile.
            Err(error) if error.code == ErrorCode::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Ok(reminded)
}

/// The same as a job.
pub struct Deadlines(pub CaseDesk);

#[async_trait]
impl JobKind for Deadlines {
    fn name(&self) -> &'static str {
        "cases.deadlines"
    }

    fn title(&self) -> &'static str {
        "提醒到期和超期的办件"
    }

    fn startable(&self) -> bool {
        true
    }

    fn limits(&self) -> Limits {
        Limits {
            attempts: 3,
            concurrency: Some(1),
            ..Limits::default()
        }
    }

    async fn run(&self, job: &Running) -> Result<Value> {
        let reminded = remind(&*self.0.records, time::today()).await?;
        job.log(format!(
            "提醒即将到期的办件 {} 个，超期的办件 {} 个。",
            reminded.soon, reminded.overdue
        ));
        serde_json::to_value(reminded).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use kernel::{events::EVENTS, testkit::MemoryRecords};

    use super::*;

    fn case(id: &str, status: &str) -> Value {
        json!({
            "id": id, "number": "BJ1", "item_id": "a", "item": "某事", "agency": "某局",
            "applicant": {"account": "u", "name": "某人"}, "facts": {},
            "form": {"title": "表", "sections": [], "statement": null},
            "conditions": [], "amounts": [], "materials": [], "citations": [],
            "status": status, "submitted_at": "2026-11-25T10:00:00.000+08:00", "due": "2026-11-30", "history": [],
        })
    }

    #[tokio::test]
    async fn each_case_is_told_of_once_the_day_before_and_once_when_it_is_late() {
        let records = MemoryRecords::default();
        records.define(&[CASES, REMINDERS, EVENTS]).await.unwrap();
        for (id, status) in [
            ("1", "submitted"),
            ("2", "accepted"),
            ("3", "returned"),
            ("4", "approved"),
        ] {
            let put = Write::put(&CASES, id, &case(id, status)).unwrap();
            records.apply(vec![put]).await.unwrap();
        }
        let day = |d: i8| Date::constant(2026, 11, d);
        let told = |soon, overdue| Reminded { soon, overdue };
        for (on, expected) in [
            (day(28), told(0, 0)),
            (day(29), told(2, 0)),
            (day(29), told(0, 0)),
            (day(30), told(0, 0)),
            (Date::constant(2026, 12, 1), told(0, 2)),
            (Date::constant(2026, 12, 9), told(0, 0)),
        ] {
            assert_eq!(remind(&records, on).await.unwrap(), expected, "{on}");
        }
        assert_eq!(records.count(&EVENTS, &[]).await.unwrap(), 4);
    }
}
