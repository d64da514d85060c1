//! Named points at which a test lets the hub stop dead: what runs there never goes on, as if the process had been
//! killed in that instant. A test kills it then; the simulation drops the step and starts the hub again.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::config::Config;

/// Where work may be cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// A job's lease, or the money keys of a batch, are taken.
    Claimed,
    /// The book has taken the entries; nothing is committed.
    Posted,
    BeforeCommit,
    AfterCommit,
    /// That an instruction leaves is committed; its first byte has not left.
    Sending,
    /// The outside party has answered; the answer is not written.
    Sent,
}

impl Point {
    pub const ALL: [Self; 6] =
        [Self::Claimed, Self::Posted, Self::BeforeCommit, Self::AfterCommit, Self::Sending, Self::Sent];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Posted => "posted",
            Self::BeforeCommit => "before_commit",
            Self::AfterCommit => "after_commit",
            Self::Sending => "sending",
            Self::Sent => "sent",
        }
    }
}

/// No such place, or not where money is real.
#[derive(Debug, thiserror::Error)]
pub enum NotACrashPoint {
    #[error("a live hub does not stop by itself")]
    Live,
    #[error("{0:?} is none: write a point and a count from 1, as in posted:3")]
    Unknown(String),
}

/// A point and which time it is reached: `posted:3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    point: Point,
    /// How often it will still be passed, this time included.
    left: u32,
}

impl FromStr for Place {
    type Err = NotACrashPoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || NotACrashPoint::Unknown(text.to_owned());
        let (name, count) = text.split_once(':').ok_or_else(unknown)?;
        let point = Point::ALL.into_iter().find(|point| point.as_str() == name).ok_or_else(unknown)?;
        let left = count.parse().ok().filter(|left| *left > 0).ok_or_else(unknown)?;
        Ok(Self { point, left })
    }
}

/// The crash points of one hub: none is armed but in a test.
#[derive(Debug, Default)]
pub struct CrashPoints {
    is_armed: AtomicBool,
    place: Mutex<Option<Place>>,
    reached: Notify,
}

impl CrashPoints {
    /// Armed as configured.
    ///
    /// # Errors
    /// A point that there is not, and any in live mode.
    pub fn new(config: &Config) -> Result<Self, NotACrashPoint> {
        let points = Self::default();
        let Some(text) = &config.crash_point else { return Ok(points) };
        if config.mode.is_live() {
            return Err(NotACrashPoint::Live);
        }
        let Place { point, left } = text.parse()?;
        points.arm(point, left);
        Ok(points)
    }

    /// Stops the hub when it comes to the point for the `count`th time from now.
    pub fn arm(&self, point: Point, count: u32) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(Place { point, left: count });
        self.is_armed.store(true, Ordering::SeqCst);
    }

    pub fn disarm(&self) {
        self.is_armed.store(false, Ordering::SeqCst);
    }

    /// Passed by the hub: goes on, but for the one time it was armed for.
    pub async fn reach(&self, point: Point) {
        if self.is_armed.load(Ordering::Relaxed) && self.stops(point) {
            tracing::error!(point = point.as_str(), "stopped at a crash point");
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn stops(&self, point: Point) -> bool {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(armed) = place.as_mut().filter(|armed| armed.point == point) else { return false };
        armed.left -= 1;
        let stops = armed.left == 0;
        if stops {
            *place = None;
            self.disarm();
        }
        stops
    }

    /// Ends when the armed point was reached.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::config::Mode;

    fn of(mode: Mode, text: &str) -> Result<CrashPoints, NotACrashPoint> {
        CrashPoints::new(&Config { mode, crash_point: Some(text.to_owned()), ..Config::default() })
    }

    #[tokio::test]
    async fn only_the_armed_point_stops_and_only_at_its_time() {
        let points = of(Mode::Test, "posted:2").expect("a point");
        points.reach(Point::Posted).await;
        points.reach(Point::AfterCommit).await;
        assert!(points.reached().now_or_never().is_none());
        assert!(points.reach(Point::Posted).now_or_never().is_none(), "it went on");
        points.reached().await;
        points.reach(Point::Posted).await;
    }

    #[test]
    fn a_live_hub_takes_none_and_a_test_none_that_there_is_not() {
        assert!(matches!(of(Mode::Live, "posted:1"), Err(NotACrashPoint::Live)));
        for text in ["posted", "posted:0", "posted:-1", "paid:1", ":1", ""] {
            assert!(matches!(of(Mode::Test, text), Err(NotACrashPoint::Unknown(_))), "{text}");
        }
        for point in Point::ALL {
            assert!(of(Mode::Test, &format!("{}:1", point.as_str())).is_ok());
        }
    }
}
