//! How far behind a region's stream this process is: the age of the oldest decision that it may not have read. Pure.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::store::ShardName;

#[derive(Debug)]
pub struct StreamLag {
    /// When all shards were last listed; before that, when the process began.
    listed: Timestamp,
    /// Up to when each shard that has not ended is read. What waits for its parent waits all the same.
    read_to: HashMap<ShardName, Timestamp>,
}

impl StreamLag {
    pub fn new(begun: Timestamp) -> Self {
        Self {
            listed: begun,
            read_to: HashMap::new(),
        }
    }

    /// These shards are all that have not ended. One that is new was not there when they were listed before.
    pub fn listed(&mut self, open: impl IntoIterator<Item = ShardName>, now: Timestamp) {
        let mut former = std::mem::take(&mut self.read_to);
        for shard in open {
            let read_to = former.remove(&shard).unwrap_or(self.listed);
            self.read_to.insert(shard, read_to);
        }
        self.listed = now;
    }

    /// Of this shard, everything is read that was written before.
    pub fn read(&mut self, shard: &ShardName, to: Timestamp) {
        if let Some(read_to) = self.read_to.get_mut(shard) {
            *read_to = to;
        }
    }

    pub fn at(&self, now: Timestamp) -> Duration {
        let oldest = self.read_to.values().fold(self.listed, |a, b| a.min(*b));
        Duration::try_from(now.duration_since(oldest)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn shard(id: &str) -> ShardName {
        ShardName {
            region: "us-east-1".to_owned(),
            stream_arn: "stream".to_owned(),
            shard_id: id.to_owned(),
        }
    }

    fn seconds(lag: &StreamLag, now: i64) -> u64 {
        lag.at(at(now)).as_secs()
    }

    #[test]
    fn before_anything_is_read_it_grows_since_the_process_began() {
        let mut lag = StreamLag::new(at(100));
        assert_eq!(seconds(&lag, 160), 60, "shards cannot be listed");
        lag.listed([shard("a")], at(170));
        assert_eq!(seconds(&lag, 180), 80, "the shard cannot be read");
        lag.read(&shard("a"), at(180));
        assert_eq!(seconds(&lag, 180), 10, "since they were listed");
        lag.listed([shard("a")], at(190));
        lag.read(&shard("a"), at(190));
        assert_eq!(seconds(&lag, 190), 0);
    }

    #[test]
    fn the_shard_that_is_furthest_behind_decides() {
        let mut lag = StreamLag::new(at(0));
        lag.listed([shard("a"), shard("b")], at(1000));
        lag.read(&shard("a"), at(1000));
        lag.read(&shard("b"), at(400));
        assert_eq!(seconds(&lag, 1000), 600);
    }

    #[test]
    fn a_shard_that_has_ended_is_behind_nothing_and_a_new_one_no_longer_than_it_can_be_there() {
        let mut lag = StreamLag::new(at(0));
        lag.listed([shard("a")], at(100));
        lag.read(&shard("a"), at(50));
        lag.listed([shard("b")], at(130));
        assert_eq!(seconds(&lag, 130), 30);
    }

    #[test]
    fn clocks_that_differ_make_no_lag() {
        let mut lag = StreamLag::new(at(0));
        lag.listed([shard("a")], at(10));
        lag.read(&shard("a"), at(11));
        assert_eq!(seconds(&lag, 10), 0);
    }
}
