//! Follows a chain of audit rows and finds the first that does not belong where it stands.
//!
//! Row `n` carries SHA-256 of row `n - 1`'s hash and of what row `n` says; the first one's predecessor is empty. A row
//! that was changed, taken out, put in or moved breaks the chain there; one taken off the end shows by the chain's head,
//! which is kept apart from the rows.

use sha2::{Digest as _, Sha256};

/// What is wrong at a place of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainFault {
    /// What the row says is not what was hashed, or it does not follow the row before it.
    Changed { seq: i64 },
    /// There is no such row.
    Missing { seq: i64 },
    /// The chain goes on behind its head.
    Added { seq: i64 },
}

/// How far a chain has been followed.
#[derive(Debug, Clone, Default)]
pub struct ChainWalk {
    seq: i64,
    hash: Vec<u8>,
}

impl ChainWalk {
    /// One that goes on behind a row that was followed before.
    #[must_use]
    pub fn behind(seq: i64, hash: Vec<u8>) -> Self {
        Self { seq, hash }
    }

    /// The last row that was followed.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// The next row, by its number, the hash it carries and what it says.
    pub fn step(&mut self, seq: i64, hash: &[u8], content: &str) -> Result<(), ChainFault> {
        let expected = self.seq.saturating_add(1);
        if seq != expected {
            return Err(ChainFault::Missing { seq: expected });
        }
        let made = Sha256::new()
            .chain_update(&self.hash)
            .chain_update(content.as_bytes())
            .finalize();
        if made.as_slice() != hash {
            return Err(ChainFault::Changed { seq });
        }
        self.seq = seq;
        self.hash = hash.to_vec();
        Ok(())
    }

    /// After the last row there is.
    pub fn end(&self, head_seq: i64, head_hash: &[u8]) -> Result<(), ChainFault> {
        if self.seq < head_seq {
            return Err(ChainFault::Missing {
                seq: self.seq.saturating_add(1),
            });
        }
        if self.seq > head_seq {
            return Err(ChainFault::Added {
                seq: head_seq.saturating_add(1),
            });
        }
        if self.hash != head_hash {
            return Err(ChainFault::Changed { seq: self.seq });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(contents: &[&str]) -> Vec<(i64, Vec<u8>, String)> {
        let mut previous = Vec::new();
        let mut rows = Vec::new();
        for (seq, content) in (1..).zip(contents) {
            let hash = Sha256::new()
                .chain_update(&previous)
                .chain_update(content.as_bytes())
                .finalize()
                .to_vec();
            previous.clone_from(&hash);
            rows.push((seq, hash, (*content).to_owned()));
        }
        rows
    }

    fn walk(
        rows: &[(i64, Vec<u8>, String)],
        head: &(i64, Vec<u8>, String),
    ) -> Result<(), ChainFault> {
        let mut walk = ChainWalk::default();
        for (seq, hash, content) in rows {
            walk.step(*seq, hash, content)?;
        }
        walk.end(head.0, &head.1)
    }

    #[test]
    fn a_whole_chain_is_followed_to_its_head() {
        let rows = chain(&["a", "b", "c"]);
        assert_eq!(walk(&rows, &rows[2]), Ok(()));
        assert_eq!(ChainWalk::default().end(0, &[]), Ok(()));
    }

    #[test]
    fn a_row_that_is_changed_moved_taken_out_or_put_in_is_found() {
        let rows = chain(&["a", "b", "c"]);
        let head = rows[2].clone();

        let mut changed = rows.clone();
        changed[1].2 = "x".to_owned();
        assert_eq!(walk(&changed, &head), Err(ChainFault::Changed { seq: 2 }));

        let mut moved = rows.clone();
        moved[0].2 = "b".to_owned();
        moved[1].2 = "a".to_owned();
        assert_eq!(walk(&moved, &head), Err(ChainFault::Changed { seq: 1 }));

        let mut swapped = rows.clone();
        swapped.swap(0, 1);
        swapped[0].0 = 1;
        swapped[1].0 = 2;
        assert_eq!(walk(&swapped, &head), Err(ChainFault::Changed { seq: 1 }));

        let gap = [rows[0].clone(), rows[2].clone()];
        assert_eq!(walk(&gap, &head), Err(ChainFault::Missing { seq: 2 }));
        assert_eq!(walk(&rows[..2], &head), Err(ChainFault::Missing { seq: 3 }));

        let longer = chain(&["a", "b", "c", "d"]);
        assert_eq!(walk(&longer, &head), Err(ChainFault::Added { seq: 4 }));
    }
}
