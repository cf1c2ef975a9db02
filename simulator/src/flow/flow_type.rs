//! The types of flow that Amazon Connect knows, by their names on the wire.

/// What a flow is for; decides which actions it may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowType {
    ContactFlow,
    CustomerQueue,
    CustomerHold,
    CustomerWhisper,
    AgentHold,
    AgentWhisper,
    OutboundWhisper,
    AgentTransfer,
    QueueTransfer,
    Campaign,
}

const NAMES: [(FlowType, &str); 10] = [
    (FlowType::ContactFlow, "CONTACT_FLOW"),
    (FlowType::CustomerQueue, "CUSTOMER_QUEUE"),
    (FlowType::CustomerHold, "CUSTOMER_HOLD"),
    (FlowType::CustomerWhisper, "CUSTOMER_WHISPER"),
    (FlowType::AgentHold, "AGENT_HOLD"),
    (FlowType::AgentWhisper, "AGENT_WHISPER"),
    (FlowType::OutboundWhisper, "OUTBOUND_WHISPER"),
    (FlowType::AgentTransfer, "AGENT_TRANSFER"),
    (FlowType::QueueTransfer, "QUEUE_TRANSFER"),
    (FlowType::Campaign, "CAMPAIGN"),
];

impl FlowType {
    pub fn parse(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(flow_type, _)| *flow_type)
    }

    pub fn as_str(self) -> &'static str {
        NAMES
            .iter()
            .find(|(flow_type, _)| *flow_type == self)
            .map_or("", |(_, name)| name)
    }

    pub fn is_whisper(self) -> bool {
        matches!(
            self,
            Self::CustomerWhisper | Self::AgentWhisper | Self::OutboundWhisper
        )
    }

    pub fn is_hold(self) -> bool {
        matches!(self, Self::CustomerHold | Self::AgentHold)
    }
}
