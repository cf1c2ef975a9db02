//! What a change demands of the version that it finds. Pure.

/// Versions that a caller names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// Whichever there is.
    Any,
    /// Zero among them stands for "there is none".
    These(Vec<i64>),
}

/// Nothing is demanded by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// One of them must be there.
    pub one_of: Option<Versions>,
    /// None of them may be there.
    pub none_of: Option<Versions>,
}

impl Versions {
    fn include(&self, current: i64) -> bool {
        match self {
            Self::Any => current != 0,
            Self::These(versions) => versions.contains(&current),
        }
    }
}

impl Precondition {
    /// `current` is zero where there is nothing yet.
    #[must_use]
    pub fn holds(&self, current: i64) -> bool {
        let is_one = |versions: &Versions| versions.include(current);
        self.one_of.as_ref().is_none_or(is_one) && !self.none_of.as_ref().is_some_and(is_one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_must_be_among_the_ones_and_not_among_the_others() {
        let these = |versions: &[i64]| Some(Versions::These(versions.to_vec()));
        let any = || Some(Versions::Any);
        for (one_of, none_of, holds_for) in [
            (None, None, &[0, 1, 2][..]),
            (any(), None, &[1, 2]),
            (these(&[0, 2]), None, &[0, 2]),
            (these(&[]), None, &[]),
            (None, any(), &[0]),
            (None, these(&[0, 2]), &[1]),
            (None, these(&[]), &[0, 1, 2]),
            (these(&[1, 2]), these(&[2]), &[1]),
            (any(), any(), &[]),
        ] {
            let precondition = Precondition { one_of, none_of };
            let holds: Vec<i64> = (0..3)
                .filter(|current| precondition.holds(*current))
                .collect();
            assert_eq!(holds, holds_for, "{precondition:?}");
        }
    }
}
