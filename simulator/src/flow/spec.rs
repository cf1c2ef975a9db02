//! What the flow language allows for each type of action: flow types, parameters, errors, conditions.
//!
//! Types whose parameters the documentation describes only loosely are listed as open: their name, flow types and
//! transitions are checked, their parameters are not.

use super::FlowType;

/// The rules for one type of action.
#[derive(Debug)]
pub struct ActionSpec {
    pub name: &'static str,
    pub allowed: fn(FlowType) -> bool,
    /// `None`: the parameters are not checked.
    pub parameters: Option<&'static [Parameter]>,
    /// Of these parameters exactly one is given.
    pub exactly_one_of: &'static [&'static str],
    pub required_errors: &'static [&'static str],
    pub optional_errors: &'static [&'static str],
    pub conditions: Conditions,
    pub terminal: bool,
}

/// Which conditions an action may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conditions {
    None,
    Any,
    /// `Equals` with each of these operands, once each, and nothing else.
    Exactly(&'static [&'static str]),
}

/// One parameter of an action.
#[derive(Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub required: bool,
    pub rule: Rule,
}

/// What a parameter's value may be.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// One of these words; no reference.
    Word(&'static [&'static str]),
    /// A number written as text, no reference.
    Number(u64, u64),
    /// A number written as text, or one reference.
    NumberOrReference(u64, u64),
    /// One whole reference.
    Reference,
    /// A fixed id or ARN, or one whole reference.
    Id,
    LambdaArn,
    /// Text with references inside.
    Text,
    /// Members of text.
    TextMap,
    /// Nested JSON whose texts may hold references.
    Json,
    ResponseValidation,
    CallerId,
}

const fn required(name: &'static str, rule: Rule) -> Parameter {
    Parameter {
        name,
        required: true,
        rule,
    }
}

const fn optional(name: &'static str, rule: Rule) -> Parameter {
    Parameter {
        name,
        required: false,
        rule,
    }
}

fn everywhere(_: FlowType) -> bool {
    true
}
fn not_whisper_or_hold(flow: FlowType) -> bool {
    !flow.is_whisper() && !flow.is_hold()
}
fn not_whisper(flow: FlowType) -> bool {
    !flow.is_whisper()
}
fn outbound_whisper(flow: FlowType) -> bool {
    flow == FlowType::OutboundWhisper
}
fn whisper_or_queue(flow: FlowType) -> bool {
    flow.is_whisper() || flow == FlowType::CustomerQueue
}
fn contact_transfer_or_queue(flow: FlowType) -> bool {
    matches!(
        flow,
        FlowType::ContactFlow
            | FlowType::AgentTransfer
            | FlowType::QueueTransfer
            | FlowType::CustomerQueue
    )
}
fn prompting(flow: FlowType) -> bool {
    flow.is_whisper() || contact_transfer_or_queue(flow)
}
fn recording(flow: FlowType) -> bool {
    flow == FlowType::OutboundWhisper || not_whisper_or_hold(flow)
}
fn contact_or_transfer(flow: FlowType) -> bool {
    matches!(
        flow,
        FlowType::ContactFlow | FlowType::AgentTransfer | FlowType::QueueTransfer
    )
}
fn contact_or_queue(flow: FlowType) -> bool {
    matches!(flow, FlowType::ContactFlow | FlowType::CustomerQueue)
}

const NO_MATCHING_ERROR: &[&str] = &["NoMatchingError"];

const PLAIN: ActionSpec = ActionSpec {
    name: "",
    allowed: everywhere,
    parameters: Some(&[]),
    exactly_one_of: &[],
    required_errors: &[],
    optional_errors: &[],
    conditions: Conditions::None,
    terminal: false,
};

/// An action whose parameters are not checked; it may carry any error or condition.
const fn open(name: &'static str, allowed: fn(FlowType) -> bool) -> ActionSpec {
    ActionSpec {
        name,
        allowed,
        parameters: None,
        conditions: Conditions::Any,
        ..PLAIN
    }
}

/// Every type of action, in the order of the flow language's reference.
pub static ACTIONS: &[ActionSpec] = &[
    ActionSpec {
        name: "UpdateFlowLoggingBehavior",
        parameters: Some(&[required(
            "FlowLoggingBehavior",
            Rule::Word(&["Enabled", "Disabled"]),
        )]),
        ..PLAIN
    },
    ActionSpec {
        name: "Compare",
        parameters: Some(&[required("ComparisonValue", Rule::Reference)]),
        required_errors: &["NoMatchingCondition"],
        conditions: Conditions::Any,
        ..PLAIN
    },
    ActionSpec {
        name: "InvokeLambdaFunction",
        parameters: Some(&[
            required("LambdaFunctionARN", Rule::LambdaArn),
            required("InvocationTimeLimitSeconds", Rule::Number(1, 8)),
            optional(
                "InvocationType",
                Rule::Word(&["SYNCHRONOUS", "ASYNCHRONOUS"]),
            ),
            optional("LambdaInvocationAttributes", Rule::Json),
            optional("ResponseValidation", Rule::ResponseValidation),
        ]),
        required_errors: NO_MATCHING_ERROR,
        ..PLAIN
    },
    ActionSpec {
        name: "Loop",
        parameters: Some(&[required("LoopCount", Rule::NumberOrReference(0, 100))]),
        conditions: Conditions::Exactly(&["ContinueLooping", "DoneLooping"]),
        ..PLAIN
    },
    ActionSpec {
        name: "CreateTask",
        parameters: Some(&[
            required("Name", Rule::Text),
            optional("Description", Rule::Text),
            optional("ContactFlowId", Rule::Id),
            optional("TaskTemplateId", Rule::Id),
            optional("Attributes", Rule::TextMap),
            optional("References", Rule::Json),
            optional("DelaySeconds", Rule::NumberOrReference(1, 518_400)),
            optional("ScheduledTime", Rule::Text),
        ]),
        exactly_one_of: &["ContactFlowId", "TaskTemplateId"],
        required_errors: NO_MATCHING_ERROR,
        ..PLAIN
    },
    ActionSpec {
        name: "UpdateContactTargetQueue",
        allowed: not_whisper_or_hold,
        parameters: Some(&[optional("QueueId", Rule::Id), optional("AgentId", Rule::Id)]),
        exactly_one_of: &["QueueId", "AgentId"],
        required_errors: NO_MATCHING_ERROR,
        ..PLAIN
    },
    ActionSpec {
        name: "TransferContactToQueue",
        allowed: not_whisper_or_hold,
        required_errors: &["QueueAtCapacity", "NoMatchingError"],
        ..PLAIN
    },
    ActionSpec {
        name: "EndFlowExecution",
        allowed: whisper_or_queue,
        terminal: true,
        ..PLAIN
    },
    ActionSpec {
        name: "DisconnectParticipant",
        allowed: contact_transfer_or_queue,
        terminal: true,
        ..PLAIN
    },
    ActionSpec {
        name: "UpdateContactAttributes",
        parameters: Some(&[
            required("Attributes", Rule::TextMap),
            optional("TargetContact", Rule::Word(&["Current", "Related"])),
        ]),
        optional_errors: NO_MATCHING_ERROR,
        ..PLAIN
    },
    ActionSpec {
        name: "UpdateFlowAttributes",
        parameters: Some(&[required("FlowAttributes", Rule::Json)]),
        optional_errors: NO_MATCHING_ERROR,
        ..PLAIN
    },
    ActionSpec {
        name: "MessageParticipant",
        allowed: prompting,
        parameters: Some(&[
            optional("PromptId", Rule::Id),
            optional("Text", Rule::Text),
            optional("SSML", Rule::Text),
            optional("Media", Rule::Json),
        ]),
        exactly_one_of: &["PromptId", "Text", "SSML", "Media"],
        optional_errors: NO_MATCHING_ERROR,
        ..PLAIN
    },
    ActionSpec {
        name: "CheckHoursOfOperation",
        allowed: not_whisper,
        parameters: Some(&[optional("HoursOfOperationId", Rule::Id)]),
        required_errors: NO_MATCHING_ERROR,
        conditions: Conditions::Exactly(&["True", "False"]),
        ..PLAIN
    },
    ActionSpec {
        name: "CompleteOutboundCall",
        allowed: outbound_whisper,
        parameters: Some(&[optional("CallerId", Rule::CallerId)]),
        ..PLAIN
    },
    ActionSpec {
        name: "Wait",
        allowed: contact_or_queue,
        parameters: Some(&[
            required("TimeLimitSeconds", Rule::NumberOrReference(1, 604_800)),
            optional("Events", Rule::Json),
        ]),
        optional_errors: &["NoMatchingError", "ParticipantNotFound"],
        conditions: Conditions::Any,
        ..PLAIN
    },
    ActionSpec {
        name: "TransferToFlow",
        allowed: not_whisper_or_hold,
        parameters: Some(&[required("ContactFlowId", Rule::Id)]),
        required_errors: NO_MATCHING_ERROR,
        ..PLAIN
    },
    open("UpdateContactRecordingBehavior", recording),
    open("UpdateContactData", everywhere),
    open("UpdateContactEventHooks", everywhere),
    open("TagContact", everywhere),
    open("GetMetricData", everywhere),
    open("CheckMetricData", not_whisper),
    open("DistributeByPercentage", everywhere),
    open("GetParticipantInput", contact_transfer_or_queue),
    open("InvokeFlowModule", not_whisper_or_hold),
    open("CreateCallbackContact", not_whisper_or_hold),
    open("UpdateContactCallbackNumber", not_whisper_or_hold),
    open("TransferContactToAgent", contact_or_transfer),
    open("TransferParticipantToThirdParty", contact_or_transfer),
    open("UpdateContactRoutingBehavior", not_whisper_or_hold),
    open("UpdateContactTextToSpeechVoice", everywhere),
    open("UpdateContactMediaStreamingBehavior", everywhere),
    open("ConnectParticipantWithLexBot", contact_transfer_or_queue),
    open("MessageParticipantIteratively", not_whisper),
    open("DequeueContactAndTransferToQueue", contact_or_queue),
    open("CreateWisdomSession", everywhere),
];

/// The rules for a type by its name.
pub fn action(name: &str) -> Option<&'static ActionSpec> {
    ACTIONS.iter().find(|spec| spec.name == name)
}

/// The comparisons a condition may make.
pub const OPERATORS: &[&str] = &[
    "Equals",
    "TextStartsWith",
    "TextEndsWith",
    "TextContains",
    "NumberGreaterThan",
    "NumberGreaterOrEqualTo",
    "NumberLessThan",
    "NumberLessOrEqualTo",
];
