//! The clock, dates and the city's time zone.

use jiff::{Timestamp, tz::Offset};

pub use jiff::civil::Date;

/// China Standard Time, without daylight saving since 1991.
const CITY: Offset = Offset::constant(8);

/// This moment as RFC 3339 with milliseconds in the city's time zone, e.g. `2026-11-24T21:30:00.123+08:00`.
pub fn now() -> String {
    format(Timestamp::now())
}

/// A moment as RFC 3339 with milliseconds in the city's time zone. Such strings sort by time.
pub fn format(at: Timestamp) -> String {
    let local = CITY.to_datetime(at);
    format!(
        "{}.{:03}+08:00",
        local.strftime("%Y-%m-%dT%H:%M:%S"),
        local.millisecond()
    )
}

/// Today in the city.
pub fn today() -> Date {
    CITY.to_datetime(Timestamp::now()).date()
}

/// Days since 1970-01-01, for range filters.
pub fn day_number(date: Date) -> i64 {
    i64::from(
        date.since(Date::constant(1970, 1, 1))
            .map_or(0, |span| span.get_days()),
    )
}

/// `2026年11月24日`.
pub fn chinese(date: Date) -> String {
    format!("{}年{}月{}日", date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_the_citys_time_zone() {
        let at = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        assert_eq!(format(at), "2023-11-15T06:13:20.123+08:00");
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(day_number(Date::constant(1970, 1, 1)), 0);
        assert_eq!(day_number(Date::constant(2000, 1, 1)), 10_957);
        assert_eq!(day_number(Date::constant(1969, 12, 31)), -1);
    }
}
