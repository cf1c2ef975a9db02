//! Whose turn it is to ask Amazon Connect, or Lambda about functions, in each account and region.
//!
//! One row is a token bucket, kept as the time at which it would be full again; a turn is taken by pushing that time on,
//! in one statement. `level_at` is the same by when requests really go out: some go ahead of their turn, and two that go out
//! together wait for the later one. The database's clock counts, since those of the processes may differ. The wait for a turn happens
//! outside, so that no transaction is open meanwhile. Failure: without the database nobody gets a turn.

use std::time::Duration;

use super::{Store, StoreError};
use crate::domain::pace::{Pace, Place, Quota, Taken};

/// The first pause after a throttle, and the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_LONGEST: Duration = Duration::from_secs(60);
/// A throttle among so many turns after a pause says that the pause was too short; a later one is a new story.
const SOON_TURNS: u32 = 10;
const WHY: &str = "an account's pace is common to all who ask there";

/// Longer than anybody waits, and still a number that Postgres can add to a time.
const UNBOUNDED: Duration = Duration::from_hours(24 * 365);

impl Store {
    /// Takes the next turns, to be used together; answers how long to wait for them. `None`: they are too far off, and
    /// none was taken.
    pub async fn pace_take(
        &self,
        place: &Place,
        quota: Quota,
        pace: Pace,
        turns: u32,
    ) -> Result<Option<Duration>, StoreError> {
        let step = pace.interval * turns;
        let mut tx = self.system(WHY).await?;
        let taken = sqlx::query!(
            r#"insert into request_paces as p (account_id, region, quota, next_at, level_at)
               values ($1, $2, $3, clock_timestamp() + $4::bigint * interval '1 microsecond',
                   clock_timestamp() + greatest($4::bigint, 2 * $4::bigint - $6::bigint) * interval '1 microsecond')
               on conflict on constraint request_paces_pkey do update
               set next_at = greatest(p.next_at, clock_timestamp()) + $4::bigint * interval '1 microsecond',
                   level_at = greatest(p.level_at, p.paused_until, clock_timestamp(),
                       greatest(p.next_at, clock_timestamp()) + ($4::bigint - $6::bigint) * interval '1 microsecond')
                       + $4::bigint * interval '1 microsecond'
               where p.next_at <= clock_timestamp() + $5::bigint * interval '1 microsecond'
               returning (extract(epoch from p.next_at - clock_timestamp()) * 1000000)::bigint as "next!",
                   (extract(epoch from p.level_at - clock_timestamp()) * 1000000)::bigint as "level!",
                   coalesce(extract(epoch from p.paused_until - clock_timestamp()) * 1000000, 0)::bigint as "pause!""#,
            place.account_id,
            place.region,
            quota.as_str(),
            micros(step),
            micros(pace.wait_max.unwrap_or(UNBOUNDED)),
            micros(pace.interval + pace.tolerance),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        let span = |micros| Duration::from_micros(u64::try_from(micros).unwrap_or_default());
        Ok(taken.map(|taken| {
            pace.wait(Taken {
                next: span(taken.next),
                level: span(taken.level),
                pause: span(taken.pause),
            })
        }))
    }

    /// Whether the service throttled, and nobody is to ask there now.
    pub async fn pace_is_paused(&self, place: &Place, quota: Quota) -> Result<bool, StoreError> {
        let mut tx = self.system(WHY).await?;
        let paused = sqlx::query_scalar!(
            r#"select paused_until > clock_timestamp() as "paused" from request_paces
               where account_id = $1 and region = $2 and quota = $3"#,
            place.account_id,
            place.region,
            quota.as_str(),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(paused.flatten().unwrap_or_default())
    }

    /// After the service throttled: nobody asks there for a while. The while doubles when the service throttles again
    /// soon after; `spread` keeps accounts that were throttled together from coming back together.
    pub async fn pace_pause(
        &self,
        place: &Place,
        quota: Quota,
        pace: Pace,
        spread: impl Fn(Duration) -> Duration,
    ) -> Result<Duration, StoreError> {
        let factor = spread(Duration::from_secs(1)).as_secs_f64();
        // Where turns are close together, an answer takes longer than they do.
        let soon = (pace.interval * SOON_TURNS).max(PAUSE_FIRST);
        let mut tx = self.system(WHY).await?;
        let pause = sqlx::query_scalar!(
            r#"with throttled as (
                 select account_id, region, quota,
                     case when paused_until is null
                             or clock_timestamp() >= paused_until + $7::bigint * interval '1 microsecond'
                         then $5::bigint
                         when clock_timestamp() < paused_until then pause_micros
                         else least(2 * pause_micros, $6::bigint) end as pause_micros
                 from request_paces where account_id = $1 and region = $2 and quota = $3
                 for update
               )
               update request_paces p
               set pause_micros = t.pause_micros,
                   paused_until = greatest(p.paused_until, clock_timestamp() + t.pause_micros * $4::float8 * interval '1 microsecond'),
                   next_at = greatest(p.next_at, clock_timestamp() + t.pause_micros * $4::float8 * interval '1 microsecond')
               from throttled t
               where p.account_id = t.account_id and p.region = t.region and p.quota = t.quota
               returning p.pause_micros"#,
            place.account_id,
            place.region,
            quota.as_str(),
            factor,
            micros(PAUSE_FIRST),
            micros(PAUSE_LONGEST),
            micros(soon),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(pause.map_or(PAUSE_FIRST, |pause| {
            Duration::from_micros(u64::try_from(pause).unwrap_or_default())
        }))
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
