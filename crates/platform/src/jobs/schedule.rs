//! Jobs at certain times.
//!
//! A schedule that is due is moved on and its job queued in one batch, at the revision at which the schedule was read:
//! however many processes look, a due time makes one job. Times that passed while nothing ran make one job together. A
//! schedule whose last job is still open makes none.

use jiff::{
    Timestamp,
    civil::{DateTime, Time},
    tz::Offset,
};
use kernel::{
    Error, ErrorCode, Result,
    records::{Collection, Condition, Expect, Query, Sort, Write},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Jobs, NewJob, RACES,
    running::contended,
    worker::{Pulse, Trouble},
};

/// The schedules.
pub const SCHEDULES: Collection = Collection {
    name: "job_schedules",
    indexed: &["next_at"],
};

/// China Standard Time, without daylight saving since 1991.
const CITY: Offset = Offset::constant(8);

/// The longest interval, in minutes: a week.
const LONGEST: u32 = 7 * 24 * 60;

/// At which times, in the city's time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Every so many minutes, counted so that an interval that divides a day begins at midnight.
    EveryMinutes(#[schemars(range(min = 1, max = 10080))] u32),
    /// Every day.
    Daily {
        /// `HH:MM`.
        at: String,
    },
    /// Every week.
    Weekly {
        /// 1 is Monday, 7 is Sunday.
        #[schemars(range(min = 1, max = 7))]
        weekday: i8,
        /// `HH:MM`.
        at: String,
    },
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorCode::InvalidInput, message)
}

fn time_of_day(at: &str) -> Result<Time> {
    let parsed = || {
        let (hour, minute) = at.split_once(':')?;
        let number = |s: &str| {
            let digits = s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| s.parse::<i8>().ok()).flatten()
        };
        Time::new(number(hour)?, number(minute)?, 0, 0).ok()
    };
    parsed().ok_or_else(|| {
        invalid("计划时间的格式不对，请写成“时:分”，例如 03:30，范围 00:00 到 23:59。")
    })
}

impl When {
    /// The first of its times after a moment.
    ///
    /// # Errors
    /// `InvalidInput` if it names no time.
    pub fn next_after(&self, moment: Timestamp) -> Result<Timestamp> {
        match self {
            Self::EveryMinutes(minutes) => {
                if !(1..=LONGEST).contains(minutes) {
                    return Err(invalid("计划的间隔应为1到10080分钟（一周），请修改。"));
                }
                let step = i64::from(*minutes) * 60;
                let ahead = i64::from(CITY.seconds());
                let passed = (moment.as_second() + ahead).div_euclid(step);
                Timestamp::from_second((passed + 1) * step - ahead).map_err(Error::internal)
            }
            Self::Daily { at } => next_day(moment, time_of_day(at)?, |_| true),
            Self::Weekly { weekday, at } => {
                if !(1..=7).contains(weekday) {
                    return Err(invalid("计划的星期应为1（星期一）到7（星期日），请修改。"));
                }
                next_day(moment, time_of_day(at)?, |day| {
                    day.weekday().to_monday_one_offset() == *weekday
                })
            }
        }
    }
}

fn next_day(moment: Timestamp, at: Time, fits: impl Fn(DateTime) -> bool) -> Result<Timestamp> {
    let mut date = CITY.to_datetime(moment).date();
    loop {
        let day = date.to_datetime(at);
        let candidate = CITY.to_timestamp(day).map_err(Error::internal)?;
        if candidate > moment && fits(day) {
            return Ok(candidate);
        }
        date = date.tomorrow().map_err(Error::internal)?;
    }
}

/// Queues jobs at certain times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobSchedule")]
pub struct Schedule {
    /// Its id.
    pub id: String,
    /// The kind of its jobs.
    pub kind: String,
    /// What they are given.
    pub input: Value,
    /// For people, in Chinese.
    pub title: String,
    /// When.
    pub when: When,
    /// Whether it queues jobs at all.
    pub enabled: bool,
    /// When next; none while it is off.
    pub next_at: Option<String>,
    /// The job that it queued last.
    pub last_job: Option<String>,
}

/// A schedule that comes with the product.
#[derive(Clone, Debug)]
pub struct Builtin {
    /// Its id, the same for ever.
    pub id: &'static str,
    /// The kind of its jobs.
    pub kind: &'static str,
    /// What they are given.
    pub input: Value,
    /// For people, in Chinese.
    pub title: &'static str,
    /// When, unless an administrator says otherwise.
    pub when: When,
    /// Whether it is on, unless an administrator says otherwise.
    pub enabled: bool,
}

/// A change of a schedule; what is missing stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobScheduleUpdate")]
#[serde(deny_unknown_fields)]
pub struct ScheduleUpdate {
    /// Which.
    pub id: String,
    /// On or off.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// When.
    #[serde(default)]
    pub when: Option<When>,
}

impl Jobs {
    /// Makes a built-in schedule if it is missing. When it is there, what an administrator may change stays.
    pub(super) async fn declare(&self, builtin: Builtin) -> Result<()> {
        self.kind(builtin.kind)
            .and_then(|kind| kind.check(&builtin.input))
            .map_err(|e| Error::internal(format!("schedule {}: {e}", builtin.id)))?;
        for _ in 0..RACES {
            let standing = self.0.records.get(&SCHEDULES, builtin.id).await?;
            let expect = standing
                .as_ref()
                .map_or(Expect::Absent, |r| Expect::Revision(r.revision));
            let was: Option<Schedule> = standing
                .map(|r| serde_json::from_value(r.body).map_err(Error::internal))
                .transpose()?;
            let mut schedule = was.clone().unwrap_or_else(|| Schedule {
                id: builtin.id.to_owned(),
                kind: String::new(),
                input: Value::Null,
                title: String::new(),
                when: builtin.when.clone(),
                enabled: builtin.enabled,
                next_at: None,
                last_job: None,
            });
            builtin.kind.clone_into(&mut schedule.kind);
            builtin.title.clone_into(&mut schedule.title);
            schedule.input = builtin.input.clone();
            if was.is_none() {
                self.plan(&mut schedule)?;
            }
            if was.as_ref() == Some(&schedule) || self.save(&schedule, expect).await? {
                return Ok(());
            }
        }
        Err(contended())
    }

    fn plan(&self, schedule: &mut Schedule) -> Result<()> {
        let next = schedule.when.next_after((self.0.options.now)())?;
        schedule.next_at = schedule.enabled.then(|| time::format(next));
        Ok(())
    }

    async fn save(&self, schedule: &Schedule, expect: Expect) -> Result<bool> {
        let write = Write::put(&SCHEDULES, schedule.id.clone(), schedule)?.expecting(expect);
        match self.0.records.apply(vec![write]).await {
            Err(error) if error.code == ErrorCode::Conflict => Ok(false),
            applied => applied.map(|_| true),
        }
    }

    /// All schedules.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn schedules(&self) -> Result<Vec<Schedule>> {
        self.0.records.list(&SCHEDULES, &Query::default()).await
    }

    /// One schedule.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn schedule(&self, id: &str) -> Result<Schedule> {
        let found = self.0.records.read(&SCHEDULES, id).await?;
        found.ok_or_else(|| Error::not_found("这个计划"))
    }

    /// Changes a schedule.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` if it names no time; `Storage`.
    pub async fn update_schedule(&self, update: &ScheduleUpdate) -> Result<Schedule> {
        for _ in 0..RACES {
            let found = self.0.records.get(&SCHEDULES, &update.id).await?;
            let record = found.ok_or_else(|| Error::not_found("这个计划"))?;
            let expect = Expect::Revision(record.revision);
            let was: Schedule = serde_json::from_value(record.body).map_err(Error::internal)?;
            let mut schedule = was.clone();
            schedule.enabled = update.enabled.unwrap_or(was.enabled);
            if let Some(when) = &update.when {
                schedule.when = when.clone();
            }
            if (schedule.enabled, &schedule.when) != (was.enabled, &was.when) {
                self.plan(&mut schedule)?;
            }
            if self.save(&schedule, expect).await? {
                return Ok(schedule);
            }
        }
        Err(contended())
    }

    /// Queues the jobs of all schedules that are due.
    async fn fire_due(&self) -> Result<()> {
        if self.0.kinds.is_empty() {
            return Ok(());
        }
        let kinds = self.0.kinds.keys().map(|k| k.as_str().into()).collect();
        let query = Query {
            all: vec![
                Condition::AtMost("next_at".into(), self.0.now().into()),
                // Others are for processes that know their kinds.
                Condition::In("kind".into(), kinds),
            ],
            sort: Some(Sort {
                field: "next_at".into(),
                descending: false,
            }),
            ..Query::default()
        };
        for record in self.0.records.find(&SCHEDULES, &query).await? {
            let expect = Expect::Revision(record.revision);
            let schedule: Schedule =
                serde_json::from_value(record.body).map_err(Error::internal)?;
            self.fire(schedule, expect).await?;
        }
        Ok(())
    }

    async fn fire(&self, mut schedule: Schedule, expect: Expect) -> Result<()> {
        let new = NewJob {
            title: Some(schedule.title.clone()),
            schedule: Some(schedule.id.clone()),
            key: Some(format!("schedule/{}", schedule.id)),
            ..NewJob::new(&schedule.kind, schedule.input.clone())
        };
        let (job, mut batch) = match self.new_job(new).await {
            Ok((job, writes)) => (Some(job), writes),
            Err(error) if error.code == ErrorCode::Conflict => (None, Vec::new()),
            Err(error) if error.code == ErrorCode::InvalidInput => {
                tracing::error!(schedule = schedule.id, "a schedule's job can't be: {error}");
                (None, Vec::new())
            }
            Err(error) => return Err(error),
        };
        self.plan(&mut schedule)?;
        if let Some(job) = &job {
            schedule.last_job = Some(job.id.clone());
        }
        batch.push(Write::put(&SCHEDULES, schedule.id.clone(), &schedule)?.expecting(expect));
        match self.0.records.apply(batch).await {
            // Another process did it, or it is seen again at the next look.
            Err(error) if error.code == ErrorCode::Conflict => return Ok(()),
            applied => applied.map(|_| ())?,
        }
        if job.is_some() {
            self.stir();
        } else {
            tracing::info!(
                schedule = schedule.id,
                "a schedule was due and made no job: its last one is open, or there can be none"
            );
        }
        Ok(())
    }
}

/// Keeps the schedules until it should end.
pub(super) async fn run(jobs: Jobs, mut pulse: Pulse) {
    const WHAT: &str = "keeping job schedules";
    let poll = jobs.0.options.poll;
    let mut trouble = Trouble::default();
    while !pulse.stopping() {
        match jobs.fire_due().await {
            Ok(()) => {
                trouble.over(WHAT);
                pulse.next(poll).await;
            }
            Err(error) => {
                let stopping = &mut pulse.stopping;
                trouble.wait(WHAT, &error, poll, stopping).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(when: &When, moment: &str) -> String {
        time::format(when.next_after(moment.parse().unwrap()).unwrap())
    }

    fn daily(at: &str) -> When {
        When::Daily { at: at.into() }
    }

    #[test]
    fn days_and_weeks_are_those_of_the_city() {
        // A Tuesday, 07:30 in the city and still Monday in Greenwich.
        let moment = "2026-11-24T07:30:00+08:00";
        assert_eq!(
            next(&daily("07:30"), moment),
            "2026-11-25T07:30:00.000+08:00"
        );
        assert_eq!(
            next(&daily("07:31"), moment),
            "2026-11-24T07:31:00.000+08:00"
        );
        let weekly = |weekday, at: &str| When::Weekly {
            weekday,
            at: at.into(),
        };
        assert_eq!(
            next(&weekly(2, "08:00"), moment),
            "2026-11-24T08:00:00.000+08:00"
        );
        assert_eq!(
            next(&weekly(2, "07:00"), moment),
            "2026-12-01T07:00:00.000+08:00"
        );
        assert_eq!(
            next(&weekly(1, "00:00"), moment),
            "2026-11-30T00:00:00.000+08:00"
        );
    }

    #[test]
    fn intervals_that_divide_a_day_begin_at_midnight() {
        let moment = "2026-11-24T07:30:00+08:00";
        let every = When::EveryMinutes;
        assert_eq!(next(&every(15), moment), "2026-11-24T07:45:00.000+08:00");
        assert_eq!(next(&every(360), moment), "2026-11-24T12:00:00.000+08:00");
        assert_eq!(next(&every(1440), moment), "2026-11-25T00:00:00.000+08:00");
    }

    #[test]
    fn what_names_no_time_is_refused() {
        let weekly = |weekday| When::Weekly {
            weekday,
            at: "03:00".into(),
        };
        let mut wrong = ["24:00", "3:00", "03:60", "0300", "+1:00", ""]
            .map(daily)
            .to_vec();
        wrong.extend([
            When::EveryMinutes(0),
            When::EveryMinutes(20_000),
            weekly(0),
            weekly(8),
        ]);
        for when in wrong {
            assert!(when.next_after(Timestamp::now()).is_err(), "{when:?}");
        }
    }

    #[test]
    fn times_are_written_so_that_people_can_read_them() {
        let json = serde_json::to_value([When::EveryMinutes(5), daily("03:00")]).unwrap();
        let wanted = serde_json::json!([{"every_minutes": 5}, {"daily": {"at": "03:00"}}]);
        assert_eq!(json, wanted);
    }
}
