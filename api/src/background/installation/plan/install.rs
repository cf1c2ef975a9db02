//! The steps towards an installation, in the order that keeps every call limited or as it was.

use std::collections::BTreeSet;

use crate::aws::Queue;
use crate::domain::drift::{Difference, DriftKind};
use crate::domain::installation::{Drift, ExistingWhisper, InstallationRequest};
use crate::flow::{self, Guard, Rest};

use super::super::desired::{Desired, FlowKey, Remembered};
use super::super::observed::Observed;
use super::fate::Fate;
use super::{Plan, Step};

pub(super) struct Planner<'a> {
    pub(super) desired: &'a Desired,
    pub(super) request: &'a InstallationRequest,
    pub(super) remembered: &'a Remembered,
    pub(super) observed: &'a Observed,
    pub(super) plan: Plan,
    /// Keys whose flow exists or will exist once the steps so far are done.
    pub(super) available: BTreeSet<FlowKey>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        desired: &'a Desired,
        request: &'a InstallationRequest,
        remembered: &'a Remembered,
        observed: &'a Observed,
    ) -> Self {
        Self {
            desired,
            request,
            remembered,
            observed,
            plan: Plan::default(),
            available: observed.flows.keys().cloned().collect(),
        }
    }

    pub(super) fn install(mut self) -> Plan {
        let mut fates: Vec<(&Queue, Fate)> = self
            .observed
            .queues
            .iter()
            .filter(|queue| self.request.queues.covers(&queue.id))
            .map(|queue| (queue, self.fate(queue)))
            .collect();
        let (told_only, others): (Vec<_>, Vec<_>) = fates
            .iter()
            .partition(|(queue, _)| self.is_told_only(queue));
        let needed: BTreeSet<FlowKey> = others
            .into_iter()
            .flat_map(|(queue, fate)| {
                let attached = match fate {
                    Fate::Attach(key) => Some(key.clone()),
                    Fate::Refuse(_) => None,
                };
                [attached, self.key_kept(queue, fate)]
            })
            .flatten()
            .collect();
        // Somebody may point the queue back at it.
        let kept: BTreeSet<FlowKey> = told_only
            .into_iter()
            .filter_map(|(queue, _)| self.key_before(&queue.id))
            .collect();
        self.permission();
        self.flow(
            &FlowKey::Notice,
            Some(flow::notice(&self.desired.function_arn)),
        );
        let notice_is_new = self.plan.steps.iter().any(|step| {
            matches!(
                step,
                Step::CreateFlow {
                    key: FlowKey::Notice,
                    ..
                }
            )
        });
        if notice_is_new || !self.remembered.published {
            self.plan.steps.push(Step::Publish);
        }
        // Its queues at once: whatever becomes of the other flows, their calls are limited.
        for key in &needed {
            let content = self.whisper_content(key);
            self.flow(key, content);
            self.tell_unread_original(key);
            let runs_it =
                |(_, fate): &(&Queue, Fate)| matches!(fate, Fate::Attach(its) if its == key);
            let (its, others): (Vec<_>, Vec<_>) = fates.into_iter().partition(runs_it);
            for (queue, fate) in its {
                self.covered_queue(queue, fate);
            }
            fates = others;
        }
        for key in kept.difference(&needed) {
            self.kept_flow(key);
        }
        self.flows_of_unread_queues(&(&needed | &kept));
        for (queue, fate) in fates {
            self.covered_queue(queue, fate);
        }
        self.uncovered_queues();
        self.covered_unread_queues();
        self.unknown_queues();
        self.delete_unused(&(&needed | &kept));
        self.leave_former_function();
        self.fallback();
        self.plan
    }

    /// Last, so that a fallback that is not there yet keeps nothing back: until then calls are limited all the same.
    fn fallback(&mut self) {
        let step = match (&self.desired.fallback_arn, &self.remembered.fallback_arn) {
            (Some(_), Some(_)) if self.observed.fallback_granted == Some(true) => return,
            (Some(wanted), known) => {
                let is_removed =
                    known.as_ref() == Some(wanted) && self.observed.fallback_granted == Some(false);
                let was_settled = !self.desired.fresh || self.remembered.fallback_settled;
                if is_removed && was_settled {
                    self.drift(
                        DriftKind::PermissionRemoved,
                        wanted,
                        "fallback function",
                        true,
                    );
                }
                Step::GrantFallback {
                    function_arn: wanted.clone(),
                }
            }
            (None, Some(former)) => Step::RevokeFallback {
                function_arn: former.clone(),
            },
            (None, None) => return,
        };
        self.plan.steps.push(step);
    }

    /// The function is the operator's: whatever the tenant chose, its calls must not go out unlimited.
    fn permission(&mut self) {
        if self.observed.permission_granted {
            return;
        }
        self.plan.steps.push(Step::GrantPermission);
        // No flow is made without it.
        if self.desired.leaving.is_none() && !self.is_fresh_flow(&FlowKey::Notice) {
            self.drift(DriftKind::PermissionRemoved, "", "", true);
        }
    }

    /// Somebody else changed something: what differs is not only what the tenant has just asked for.
    pub(super) fn drift(&mut self, kind: DriftKind, target: &str, name: &str, mended: bool) {
        self.plan.drift.push(Difference {
            kind,
            target: target.to_owned(),
            name: name.to_owned(),
            mended,
        });
    }

    pub(super) fn guard(&self) -> Guard<'_> {
        Guard {
            function_arn: &self.desired.function_arn,
            emergency: &self.desired.emergency,
            prefixes: &self.request.prefix_filter,
            fallback_arn: self.desired.fallback_arn.as_deref(),
        }
    }

    pub(super) fn composed(&self, original: &str) -> Result<String, flow::NotMergeable> {
        flow::whisper(self.guard(), Rest::Own(original))
    }

    /// `None` where the original is gone, or cannot be read: then the copy that is there stays as it is.
    pub(super) fn whisper_content(&self, key: &FlowKey) -> Option<String> {
        let original = match key {
            FlowKey::Notice => return None,
            FlowKey::Whisper if self.request.existing_whisper == ExistingWhisper::Replace => {
                return flow::whisper(self.guard(), Rest::Bare).ok();
            }
            FlowKey::Whisper => self.observed.default_outbound.as_ref(),
            FlowKey::WhisperBefore(id) => self.observed.originals.get(id),
        };
        original.and_then(|original| self.composed(&original.content).ok())
    }

    /// What was never as the tenant last asked for is no drift, and is put right.
    pub(super) fn tells_drift_only(&self, is_fresh: bool) -> bool {
        self.request.drift == Drift::Report && !is_fresh
    }

    /// The flow was never as the tenant last asked for.
    pub(super) fn is_fresh_flow(&self, key: &FlowKey) -> bool {
        let known = self.remembered.flows.get(key);
        self.desired.fresh && !known.is_some_and(|known| known.settled)
    }

    /// The queue was never as the tenant last asked for. One that no look since has shown, nor failed to read, was made after
    /// it.
    pub(super) fn is_fresh_queue(&self, queue_id: &str) -> bool {
        let is_settled = match self.remembered.queues.get(queue_id) {
            Some(known) => known.settled,
            None => self.remembered.looked && !self.remembered.unseen.contains(queue_id),
        };
        self.desired.fresh && !is_settled
    }
}
