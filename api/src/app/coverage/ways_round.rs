//! Calls that no whisper of a queue sees or stops: what they are and what to do about them. Pure.

use crate::domain::coverage::WayRoundKind;
use crate::domain::installation::{InstallationRequest, OnLimiterUnavailable};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayRound {
    pub kind: WayRoundKind,
    /// What happens.
    pub detail: String,
    /// What to do where that matters.
    pub fix: &'static str,
}

/// Those of every instance, then those that the tenant chose.
#[must_use]
pub fn ways_round(request: Option<&InstallationRequest>) -> Vec<WayRound> {
    let mut found: Vec<WayRound> = ALWAYS
        .iter()
        .map(|(kind, detail, fix)| WayRound {
            kind: *kind,
            detail: (*detail).to_owned(),
            fix,
        })
        .collect();
    let Some(request) = request else {
        return found;
    };
    if !request.prefix_filter.is_empty() {
        let prefixes: Vec<&str> = request.prefix_filter.iter().map(String::as_str).collect();
        found.push(WayRound {
            kind: WayRoundKind::PrefixFilter,
            detail: format!(
                "Calls to international numbers that do not begin with {} never ask the limiter: no rule, no block and \
                 no record holds for them.",
                prefixes.join(", ")
            ),
            fix: "Take the prefix filter out of the installation, or add the prefixes that rules and blocks are about.",
        });
    }
    if request.on_limiter_unavailable == OnLimiterUnavailable::Allow {
        found.push(WayRound {
            kind: WayRoundKind::LimiterUnavailable,
            detail: "Calls go out, not counted, while the limiter function gives no answer.".to_owned(),
            fix: "Choose on_limiter_unavailable deny and deploy customer-fallback.yaml, where no call is better than one too many.",
        });
    }
    found
}

/// Kind, what happens, what to do.
const ALWAYS: &[(WayRoundKind, &str, &str)] = &[
    (
        WayRoundKind::ExternalTransfers,
        "Transfers and conferences to outside numbers, by an agent or by a quick connect, run no flow at all; they are \
         neither counted nor stopped.",
        "Give queues no quick connects to outside numbers that limits are about, and tell agents to dial such numbers.",
    ),
    (
        WayRoundKind::TransferBlocks,
        "A flow's block \"Transfer to phone number\" calls without the whisper of any queue.",
        "Look through flows for such blocks; let them lead only to numbers of your own.",
    ),
    (
        WayRoundKind::ApiCalls,
        "Calls placed by StartOutboundVoiceContact run the flow that the program names, not the queue's whisper.",
        "Give connect:StartOutboundVoiceContact only to programs that keep the limits by themselves.",
    ),
    (
        WayRoundKind::QueuedCallbacks,
        "A queued callback runs the whisper and is counted, but cannot be stopped from it: Connect does not tell the \
         whisper the call's real contact.",
        "Limit how many callbacks your flows offer to one customer.",
    ),
    (
        WayRoundKind::Campaigns,
        "Calls of outbound campaigns are dialled by Connect; only previewed ones may run the whisper.",
        "Set the communication limits of the campaigns themselves.",
    ),
    (
        WayRoundKind::EmergencyNumbers,
        "Emergency numbers of the policy are never limited and never counted, on purpose.",
        "Keep the policy's list of emergency numbers short and true.",
    ),
];
