//! Time: instants in UTC to the microsecond (what PostgreSQL keeps), civil days, zones, the business calendar
//! and the clock everything is asked through.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// A point in time, UTC, in whole microseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Instant(Timestamp);

/// A civil day without a zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Day(Date);

/// Years that are read: those RFC 3339 (section 1) can write, and with which every system of the trade can count.
const YEARS: RangeInclusive<i16> = 1..=9999;

/// The text is not an instant (RFC 3339) or a day (YYYY-MM-DD), or its year is not one of 0001 to 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a date or time: RFC 3339 is expected, as in 2026-11-22 or 2026-11-22T08:00:00Z")]
pub struct NotATime(pub String);

impl Instant {
    /// From microseconds since 1970-01-01T00:00:00Z.
    pub fn from_micros(micros: i64) -> Result<Self, NotATime> {
        Timestamp::from_microsecond(micros).map(Self).map_err(|_| NotATime(micros.to_string()))
    }

    pub fn micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    pub fn seconds(self) -> i64 {
        self.0.as_second()
    }

    pub fn timestamp(self) -> Timestamp {
        self.0
    }

    /// Later by `duration`; stops at the end of time rather than wrap.
    pub fn plus(self, duration: SignedDuration) -> Self {
        self.0.saturating_add(duration).map_or(self, |later| Self(truncate(later)))
    }

    pub fn minus(self, duration: SignedDuration) -> Self {
        self.0.saturating_sub(duration).map_or(self, |earlier| Self(truncate(earlier)))
    }

    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus(SignedDuration::from_secs(seconds))
    }

    /// How long since `earlier`; negative when `earlier` is later.
    pub fn since(self, earlier: Self) -> SignedDuration {
        self.0.duration_since(earlier.0)
    }

    /// The civil day at this instant in `zone`.
    pub fn day_in(self, zone: &Zone) -> Day {
        Day(self.0.to_zoned(zone.0.clone()).date())
    }
}

fn truncate(timestamp: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(timestamp.as_microsecond()).unwrap_or(timestamp)
}

impl From<Timestamp> for Instant {
    fn from(timestamp: Timestamp) -> Self {
        Self(truncate(timestamp))
    }
}

impl FromStr for Instant {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let read = text.parse::<Timestamp>().ok().map(Self::from);
        let known = read.filter(|instant| YEARS.contains(&instant.day_in(&Zone::utc()).0.year()));
        known.ok_or_else(|| NotATime(text.chars().take(40).collect()))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Day {
    /// 1970-01-01.
    pub const EPOCH: Self = Self(jiff::civil::date(1970, 1, 1));

    pub fn new(year: i16, month: i8, day: i8) -> Result<Self, NotATime> {
        Date::new(year, month, day).map(Self).map_err(|_| NotATime(format!("{year}-{month}-{day}")))
    }

    pub fn date(self) -> Date {
        self.0
    }

    pub fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days.days()))
    }

    pub fn next(self) -> Self {
        self.plus_days(1)
    }

    pub fn previous(self) -> Self {
        self.plus_days(-1)
    }

    /// Whole days from `earlier` to this day.
    pub fn days_since(self, earlier: Self) -> i32 {
        self.0.since(earlier.0).map_or(0, |span| span.get_days())
    }

    /// The first instant of the day in `zone`.
    pub fn start_in(self, zone: &Zone) -> Instant {
        self.0
            .to_zoned(zone.0.clone())
            .map_or_else(|_| Instant(Timestamp::MIN), |zoned| Instant::from(zoned.timestamp()))
    }

    pub fn weekday(self) -> Weekday {
        self.0.weekday()
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl FromStr for Day {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let read = text.parse::<Date>().ok().filter(|date| YEARS.contains(&date.year()));
        read.map(Self).ok_or_else(|| NotATime(text.chars().take(40).collect()))
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An IANA time zone, as `Asia/Hebron`.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The database of time zones has no zone of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no IANA time zone, such as Asia/Hebron")]
pub struct NotAZone(pub String);

impl Zone {
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl FromStr for Zone {
    type Err = NotAZone;

    fn from_str(text: &str) -> Result<Self, NotAZone> {
        TimeZone::get(text).map(Self).map_err(|_| NotAZone(text.chars().take(40).collect()))
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which local days are business days, and until when of a day money counts for it.
#[derive(Debug, Clone)]
pub struct Calendar {
    pub zone: Zone,
    /// Friday and Saturday where Mizan was born.
    pub weekend: Vec<Weekday>,
    pub holidays: BTreeSet<Day>,
}

impl Calendar {
    /// Friday and Saturday off, no holidays.
    pub fn friday_saturday(zone: Zone) -> Self {
        Self { zone, weekend: vec![Weekday::Friday, Weekday::Saturday], holidays: BTreeSet::new() }
    }

    pub fn is_business_day(&self, day: Day) -> bool {
        !self.weekend.contains(&day.weekday()) && !self.holidays.contains(&day)
    }

    /// `day` itself when it is a business day, else the next one.
    pub fn business_day_from(&self, day: Day) -> Day {
        // A calendar of nothing but holidays is a configuration error; a year bounds the walk.
        (0..366).map(|offset| day.plus_days(offset)).find(|day| self.is_business_day(*day)).unwrap_or(day)
    }

    /// `day` itself when it is a business day, else the last one before.
    pub fn business_day_until(&self, day: Day) -> Day {
        (-365..=0)
            .rev()
            .map(|offset| day.plus_days(offset))
            .find(|day| self.is_business_day(*day))
            .unwrap_or(day)
    }

    /// The local day of an instant.
    pub fn day_of(&self, instant: Instant) -> Day {
        instant.day_in(&self.zone)
    }
}

/// Where `now` comes from. Asked once per unit of work.
pub trait Clock: Send + Sync + fmt::Debug {
    fn now(&self) -> Instant;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn now(&self) -> Instant {
        Instant::from(Timestamp::now())
    }
}

/// A clock that stands until it is moved: for tests, the simulation and the demo's day.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub fn new(start: Instant) -> Self {
        Self(Arc::new(AtomicI64::new(start.micros())))
    }

    pub fn set(&self, instant: Instant) {
        self.0.store(instant.micros(), Ordering::SeqCst);
    }

    pub fn advance(&self, duration: SignedDuration) {
        self.set(self.now().plus(duration));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::SeqCst)).unwrap_or(Instant(Timestamp::UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_keeps_microseconds_only() {
        let instant: Instant = "2026-11-22T08:00:00.123456789Z".parse().unwrap();
        assert_eq!(instant.to_string(), "2026-11-22T08:00:00.123456Z");
        assert_eq!(Instant::from_micros(instant.micros()), Ok(instant));
    }

    #[test]
    fn only_years_of_the_trade_are_read() {
        for (text, known) in
            [("0001-01-01", true), ("9999-12-30", true), ("0000-12-31", false), ("-004713-01-01", false)]
        {
            assert_eq!(text.parse::<Day>().is_ok(), known, "{text}");
            assert_eq!(format!("{text}T12:00:00Z").parse::<Instant>().is_ok(), known, "{text}");
        }
        assert!("0001-01-01T01:00:00+03:00".parse::<Instant>().is_err(), "the year before in UTC");
    }

    #[test]
    fn the_local_day_follows_the_zone() {
        let zone: Zone = "Asia/Hebron".parse().unwrap();
        let late: Instant = "2026-11-21T22:30:00Z".parse().unwrap();
        assert_eq!(late.day_in(&zone), Day::new(2026, 11, 22).unwrap());
        assert_eq!(Day::new(2026, 11, 22).unwrap().start_in(&zone).to_string(), "2026-11-21T22:00:00Z");
    }

    #[test]
    fn friday_and_saturday_roll_to_sunday() {
        let calendar = Calendar::friday_saturday(Zone::utc());
        let friday = Day::new(2026, 11, 20).unwrap();
        assert_eq!(calendar.business_day_from(friday), Day::new(2026, 11, 22).unwrap());
        let saturday = friday.next();
        assert_eq!(calendar.business_day_until(saturday), Day::new(2026, 11, 19).unwrap());
        assert_eq!(calendar.business_day_until(saturday.next()), saturday.next());
        assert_eq!(friday.plus_days(40).days_since(friday), 40);
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new("2026-11-22T08:00:00Z".parse().unwrap());
        let before = clock.now();
        assert_eq!(clock.now(), before);
        clock.advance(SignedDuration::from_secs(5));
        assert_eq!(clock.now().since(before), SignedDuration::from_secs(5));
    }
}
