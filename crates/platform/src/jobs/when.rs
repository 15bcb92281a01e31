//! Times that come again, in the city's time zone.

use jiff::{
    Timestamp,
    civil::{DateTime, Time},
    tz::Offset,
};
use kernel::{Error, ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use kernel::time;

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
