//! A set of a log's places.

use crate::meter::Log;

#[derive(Clone, Debug)]
pub(super) struct Places(Vec<bool>);

impl Places {
    pub(super) fn none_of(log: &Log) -> Self {
        Self(vec![false; log.places().len()])
    }

    pub(super) fn with(mut self, places: impl IntoIterator<Item = usize>) -> Self {
        for place in places {
            if let Some(is_in) = self.0.get_mut(place) {
                *is_in = true;
            }
        }
        self
    }

    pub(super) fn remove(&mut self, place: usize) {
        if let Some(is_in) = self.0.get_mut(place) {
            *is_in = false;
        }
    }

    pub(super) fn contains(&self, place: usize) -> bool {
        self.0.get(place).is_some_and(|is_in| *is_in)
    }

    pub(super) fn ascending(&self) -> impl Iterator<Item = usize> {
        self.0
            .iter()
            .enumerate()
            .filter(|(_, is_in)| **is_in)
            .map(|(place, _)| place)
    }
}
