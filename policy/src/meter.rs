//! What a meter stores: a log of attempts in the order in which the store took them.
//!
//! An entry is 23 bytes: one of status, six of milliseconds since 1970 (big-endian), sixteen of the contact. An entry that
//! cannot be read is kept at its place, counts for nothing and is reported, so that one bad write never stops a line.

use crate::attempt::ContactKey;
use crate::compact::Compaction;
use crate::past::Past;

pub const ENTRY_BYTES: usize = 23;

/// What an entry counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Reserved or admitted: counts for every rule, unless the same delivery's place has been released before it in the
    /// line: then the store took a request late that nobody waited for any more.
    Admitted,
    /// Denied: counts for nothing.
    Void,
    /// Denied by an `until_quiet` rule: counts for rules of that kind alone.
    Denied,
    /// Denied, and could not be stopped: counts as admitted, whatever was released before.
    Charged,
    /// As `Void`, where the denial is not on record: another place of the contact goes on counting.
    VoidAlone,
    /// As `Denied`, where the denial is not on record.
    DeniedAlone,
}

impl Status {
    /// In the order of the bytes that are stored.
    const ALL: [Self; 6] = [
        Self::Admitted,
        Self::Void,
        Self::Denied,
        Self::Charged,
        Self::VoidAlone,
        Self::DeniedAlone,
    ];

    fn byte(self) -> u8 {
        let place = Self::ALL.iter().position(|status| *status == self);
        place
            .and_then(|place| u8::try_from(place).ok())
            .unwrap_or(u8::MAX)
    }

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// A place that has not been released.
    pub fn is_held(self) -> bool {
        matches!(self, Self::Admitted | Self::Charged)
    }

    pub(crate) fn is_void(self) -> bool {
        matches!(self, Self::Void | Self::VoidAlone)
    }

    /// Nothing that the same delivery asked for before, and that the store takes later, may count.
    pub(crate) fn is_released_for_good(self) -> bool {
        matches!(self, Self::Void | Self::Denied)
    }

    /// The same for this place alone.
    pub fn alone(self) -> Self {
        match self {
            Self::Void => Self::VoidAlone,
            Self::Denied => Self::DeniedAlone,
            other => other,
        }
    }
}

/// One attempt in a meter's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub status: Status,
    /// Milliseconds since 1970, by the clock of the host that wrote it; six bytes of it are stored.
    pub at_ms: u64,
    pub contact: ContactKey,
}

impl Entry {
    pub fn encode(&self) -> [u8; ENTRY_BYTES] {
        let [_, _, time @ ..] = self.at_ms.to_be_bytes();
        let mut bytes = [0; ENTRY_BYTES];
        let (status, rest) = bytes.split_at_mut(1);
        let (time_place, contact_place) = rest.split_at_mut(time.len());
        status.fill(self.status.byte());
        time_place.copy_from_slice(&time);
        contact_place.copy_from_slice(&self.contact.0);
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let [status, t0, t1, t2, t3, t4, t5, contact @ ..] = bytes else {
            return None;
        };
        Some(Self {
            status: Status::of(*status)?,
            at_ms: u64::from_be_bytes([0, 0, *t0, *t1, *t2, *t3, *t4, *t5]),
            contact: ContactKey(<[u8; 16]>::try_from(contact).ok()?),
        })
    }
}

/// A meter's log, and what was folded out of it; places are the indices of the stored list, unreadable entries included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    places: Vec<Option<Entry>>,
    past: Past,
    past_is_malformed: bool,
}

impl Log {
    /// `past` is the attribute that [`crate::compact`] made, if the meter has one.
    pub fn decode<B: AsRef<[u8]>>(
        past: Option<&[u8]>,
        entries: impl IntoIterator<Item = B>,
    ) -> Self {
        let read = past.map(Past::decode);
        Self {
            places: entries
                .into_iter()
                .map(|bytes| Entry::decode(bytes.as_ref()))
                .collect(),
            past_is_malformed: read == Some(None),
            past: read.flatten().unwrap_or_default(),
        }
    }

    /// Takes an entry, as the last of the line.
    pub fn push(&mut self, entry: Entry) {
        self.places.push(Some(entry));
    }

    /// Marks the last entry.
    pub fn mark_last(&mut self, status: Status) {
        if let Some(Some(entry)) = self.places.last_mut() {
            entry.status = status;
        }
    }

    /// Leaves out what `compaction` found that nobody needs.
    pub fn apply(&mut self, compaction: &Compaction) {
        let mut going = compaction.remove.iter().copied().peekable();
        let mut place = 0;
        self.places.retain(|_| {
            let goes = going.next_if_eq(&place).is_some();
            place = place.saturating_add(1);
            !goes
        });
        if let Some(past) = compaction.past.as_deref().and_then(Past::decode) {
            self.past = past;
        }
    }

    pub fn places(&self) -> &[Option<Entry>] {
        &self.places
    }

    /// The readable entries with their places.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.places
            .iter()
            .enumerate()
            .filter_map(|(place, entry)| Some((place, entry.as_ref()?)))
    }

    pub(crate) fn past(&self) -> &Past {
        &self.past
    }

    /// How many parts could not be read.
    pub fn malformed(&self) -> usize {
        let entries = self.places.iter().filter(|place| place.is_none()).count();
        entries.saturating_add(usize::from(self.past_is_malformed))
    }

    /// The places that a contact still holds.
    pub fn held_by(&self, contact: ContactKey) -> Vec<usize> {
        self.entries()
            .filter(|(_, entry)| entry.contact == contact && entry.status.is_held())
            .map(|(place, _)| place)
            .collect()
    }
}

impl FromIterator<Entry> for Log {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        Self {
            places: entries.into_iter().map(Some).collect(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTACT: ContactKey = ContactKey([7; 16]);

    #[test]
    fn an_entry_comes_back_as_it_was_written() {
        for status in Status::ALL {
            let entry = Entry {
                status,
                at_ms: 1_795_000_000_123,
                contact: CONTACT,
            };
            assert_eq!(Entry::decode(&entry.encode()), Some(entry));
        }
    }

    #[test]
    fn unreadable_entries_keep_their_place_and_count_for_nothing() {
        let good = Entry {
            status: Status::Charged,
            at_ms: 5,
            contact: CONTACT,
        };
        let mut unknown_status = good.encode();
        unknown_status[0] = 9;
        let entries = [b"".as_slice(), &unknown_status, &good.encode(), &[0; 40]];
        assert_eq!(Log::decode(None, entries).malformed(), 3);
        let log = Log::decode(Some(b"?"), entries);
        assert_eq!(log.malformed(), 4);
        assert_eq!(log.held_by(CONTACT), [2]);
    }
}
