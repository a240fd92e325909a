//! Days that the law counts by: working days in Sweden (lag 1930:173), computed, so no table runs out; and the day of majority.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

/// The day on which somebody comes of age (FB 9 kap. 1 §).
pub fn comes_of_age(born: NaiveDate) -> Option<NaiveDate> {
    born.checked_add_months(Months::new(18 * 12))
}

/// Whether people are at work: no Saturday, no Sunday, no public holiday (lag 1989:253), and not the eves that count as
/// such: Midsummer Eve, Christmas Eve, New Year's Eve.
pub fn is_working_day(day: NaiveDate) -> bool {
    let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    !weekend && !is_fixed_holiday(day) && !is_movable_holiday(day)
}

/// The day that comes so many working days after another.
pub fn after_working_days(day: NaiveDate, count: u32) -> NaiveDate {
    let next = |day: &NaiveDate| day.checked_add_days(Days::new(1));
    let days = std::iter::successors(next(&day), next).filter(|day| is_working_day(*day));
    days.take(count as usize).last().unwrap_or(day)
}

fn is_fixed_holiday(day: NaiveDate) -> bool {
    matches!((day.month(), day.day()), (1, 1) | (1, 6) | (5, 1) | (6, 6) | (12, 24) | (12, 25) | (12, 26) | (12, 31))
}

fn is_movable_holiday(day: NaiveDate) -> bool {
    let since_easter = easter_sunday(day.year()).map(|easter| (day - easter).num_days());
    // Good Friday, Easter Monday, Ascension Day; Midsummer Eve is the Friday from 19 to 25 June. All Saints is a Saturday.
    let midsummer_eve = day.month() == 6 && day.weekday() == Weekday::Fri && (19..=25).contains(&day.day());
    matches!(since_easter, Some(-2 | 1 | 39)) || midsummer_eve
}

/// Easter Sunday of the Gregorian calendar (Meeus, Jones, Butcher).
fn easter_sunday(year: i32) -> Option<NaiveDate> {
    let (golden, century, rest) = (year % 19, year / 100, year % 100);
    let moon = (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    let sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7;
    let late = (golden + 11 * moon + 22 * sunday) / 451;
    let days = moon + sunday - 7 * late + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(days / 31).ok()?, u32::try_from(days % 31 + 1).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn the_holidays_of_2026_are_no_working_days() {
        for holiday in [
            "2026-01-01",
            "2026-01-06",
            "2026-04-03",
            "2026-04-06",
            "2026-05-01",
            "2026-05-14",
            "2026-06-06",
            "2026-06-19",
            "2026-06-20",
            "2026-10-31",
            "2026-12-24",
            "2026-12-25",
            "2026-12-26",
            "2026-12-31",
            "2026-11-21",
            "2026-11-22",
        ] {
            assert!(!is_working_day(date(holiday)), "{holiday}");
        }
        for working in
            ["2026-01-02", "2026-01-05", "2026-04-02", "2026-04-07", "2026-05-15", "2026-06-18", "2026-12-23"]
        {
            assert!(is_working_day(date(working)), "{working}");
        }
    }

    #[test]
    fn easter_is_where_the_almanac_has_it() {
        let known = ["2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2038-04-25", "2049-04-18"];
        for day in known.map(date) {
            assert_eq!(easter_sunday(day.year()), Some(day));
        }
    }

    #[test]
    fn working_days_are_counted_past_what_is_none() {
        assert_eq!(after_working_days(date("2026-11-21"), 3), date("2026-11-25"), "a Saturday: Monday to Wednesday");
        assert_eq!(after_working_days(date("2026-12-22"), 3), date("2026-12-29"));
        assert_eq!(after_working_days(date("2026-04-01"), 3), date("2026-04-08"));
    }
}
