//! What should become of one queue, going by the whisper that is its own.

use crate::aws::Queue;
use crate::domain::installation::ExistingWhisper;
use crate::flow;

use super::super::desired::FlowKey;
use super::super::observed::former_whisper;
use super::install::Planner;

/// What should become of one queue.
pub(super) enum Fate {
    Attach(FlowKey),
    Refuse(String),
}

impl Planner<'_> {
    pub(super) fn fate(&self, queue: &Queue) -> Fate {
        if self.request.existing_whisper == ExistingWhisper::Replace {
            return Fate::Attach(FlowKey::Whisper);
        }
        let own =
            former_whisper(queue, self.remembered, self.observed).filter(|id| !self.is_default(id));
        match own {
            None => self.fate_before_default(),
            Some(id) if self.request.existing_whisper == ExistingWhisper::Refuse => {
                Fate::Refuse(format!(
                    "has a whisper of its own ({}); choose existing_whisper merge or replace to cover it",
                    self.flow_name(&id)
                ))
            }
            Some(id) => self.fate_before(id),
        }
    }

    fn fate_before_default(&self) -> Fate {
        let has_flow = self.observed.flows.contains_key(&FlowKey::Whisper);
        match &self.observed.default_outbound {
            None if !has_flow => Fate::Refuse(format!(
                "the instance has no flow named \"{}\" to go on to",
                flow::DEFAULT_OUTBOUND_NAME
            )),
            None => Fate::Attach(FlowKey::Whisper),
            Some(_) if self.unread_original(&FlowKey::Whisper).is_some() => {
                Fate::Attach(FlowKey::Whisper)
            }
            Some(original) => match self.composed(&original.content) {
                Ok(_) => Fate::Attach(FlowKey::Whisper),
                Err(err) => Fate::Refuse(format!("{}: {err}", flow::DEFAULT_OUTBOUND_NAME)),
            },
        }
    }

    fn fate_before(&self, id: String) -> Fate {
        let key = FlowKey::WhisperBefore(id.clone());
        match self.observed.originals.get(&id) {
            Some(original) => match self.composed(&original.content) {
                Ok(_) => Fate::Attach(key),
                Err(err) => Fate::Refuse(format!(
                    "its whisper ({}) cannot be merged: {err}",
                    self.flow_name(&id)
                )),
            },
            None if self.unread_original(&key).is_some() => Fate::Attach(key),
            None if self.observed.flows.contains_key(&key) => Fate::Attach(key),
            None => Fate::Refuse(format!(
                "its whisper ({id}) is no longer there to be merged"
            )),
        }
    }

    pub(super) fn flow_name(&self, id: &str) -> String {
        self.observed
            .whisper_names
            .get(id)
            .cloned()
            .unwrap_or_else(|| id.to_owned())
    }

    pub(super) fn is_default(&self, flow_id: &str) -> bool {
        self.observed
            .default_outbound
            .as_ref()
            .is_some_and(|flow| flow.id == flow_id)
    }
}
