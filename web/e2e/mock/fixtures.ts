/** A tenant's instances and decisions as the API would tell them. Decisions follow from their number, so any page can be made. */
import type { Decision, Installation, Instance, Me, PolicyResource } from "../../src/api/types.ts";

export const MOCK_KEY = "rf_live_mock";
/** The key of a tenant with nothing registered. */
export const EMPTY_KEY = "rf_live_empty";
export const OPERATOR_KEY = "rf_op_mock";

const START = Date.now();
const START_TIME = new Date(START).toISOString();
const DECISION_EVERY_MS = 1300;
const DECISIONS_BEFORE = 120;
const CUSTOMERS = ["+12065550142", "+12065550100", "+442079460142", "+14155550117", "+13125550188", "2065550#77"];
const CALLERS = ["+18005550111", "+18005550112"];
const PERMISSIONS = [
  "connect:DescribeInstance",
  "connect:ListQueues",
  "connect:DescribeQueue",
  "connect:CreateContactFlow",
  "connect:UpdateContactFlowContent",
  "connect:UpdateQueueOutboundCallerConfig",
  "connect:StopContact",
  "connect:StartTaskContact",
];

type Conditions = Installation["conditions"];

function id(prefix: string, number: number): string {
  return `${prefix}_019a${number.toString(16).padStart(28, "0")}`;
}

function uuid(number: number): string {
  return `6f1c2a90-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}

export function me(key: string): Me | undefined {
  if (key === MOCK_KEY)
    return {
      kind: "api_key",
      tenant: { id: id("ten", 1), name: "Northwind Collections" },
      role: "owner",
      subject: id("key", 1),
      memberships: [],
    } as Me;
  if (key === EMPTY_KEY)
    return {
      kind: "api_key",
      tenant: { id: id("ten", 2), name: "Contoso Health" },
      role: "admin",
      subject: id("key", 2),
      memberships: [],
    } as Me;
  if (key === OPERATOR_KEY)
    return {
      kind: "operator",
      tenant: null,
      role: "operator",
      subject: id("key", 3),
      memberships: [],
    } as unknown as Me;
  return undefined;
}

interface Sketch {
  name: string;
  region: string;
  account: string;
  verified: boolean;
  failing?: string;
  policy: Instance["policy"];
}

const POLICY = id("pol", 1);
const OWN_POLICY = id("pol", 2);
const SKETCHES: Sketch[] = [
  {
    name: "northwind-us",
    region: "us-east-1",
    account: "111122220001",
    verified: true,
    policy: { source: "default", id: POLICY, version: 3, in_force_id: POLICY, in_force_version: 3 },
  },
  {
    name: "northwind-uk",
    region: "eu-west-2",
    account: "111122220002",
    verified: true,
    policy: { source: "own", id: OWN_POLICY, version: 4, in_force_id: OWN_POLICY, in_force_version: 3 },
  },
  {
    name: "northwind-legacy",
    region: "us-east-1",
    account: "111122220003",
    verified: true,
    failing: "connect:StopContact",
    policy: { source: "default", id: POLICY, version: 3, in_force_id: null, in_force_version: null },
  },
  {
    name: "northwind-pilot",
    region: "us-east-1",
    account: "111122220004",
    verified: false,
    policy: { source: "default", id: POLICY, version: 3, in_force_id: null, in_force_version: null },
  },
];

export function instances(now: number): Instance[] {
  return SKETCHES.map((sketch, index) => instance(sketch, index, now));
}

function instance(sketch: Sketch, index: number, now: number): Instance {
  const connection = id("con", index);
  const onboarding = {
    external_id: "rfx_2c7f0b1d9e",
    connection_id: connection,
    template_url: "https://ringfence.example/templates/customer.yaml",
    stack_parameters: {
      ConnectionId: connection,
      ExternalId: "rfx_2c7f0b1d9e",
      ControlPlanePrincipal: "arn:aws:iam::999988887777:role/ringfence-control-plane",
      LimiterPrincipal: "arn:aws:iam::999988887777:role/ringfence-limiter",
    },
    quick_create_url: "https://console.aws.amazon.com/cloudformation/home#/stacks/quickcreate",
    cli_command: `aws cloudformation deploy --stack-name ringfence \\\n  --template-file customer.yaml --capabilities CAPABILITY_NAMED_IAM \\\n  --parameter-overrides ConnectionId=${connection} ExternalId=rfx_2c7f0b1d9e`,
    fallback: {
      function_name: `ringfence-fallback-${connection}`,
      template_url: "https://ringfence.example/templates/customer-fallback.yaml",
      quick_create_url: "https://console.aws.amazon.com/cloudformation/home#/stacks/quickcreate",
      cli_command: `aws cloudformation deploy --region ${sketch.region} --stack-name ringfence-fallback \\\n  --template-file ringfence-fallback.yaml --capabilities CAPABILITY_NAMED_IAM \\\n  --parameter-overrides ConnectionId=${connection}`,
    },
    terraform: `resource "aws_cloudformation_stack" "ringfence" {\n  name         = "ringfence"\n  template_url = "https://ringfence.example/templates/customer.yaml"\n}`,
  };
  return {
    id: id("ins", index),
    name: sketch.name,
    instance_arn: `arn:aws:connect:${sketch.region}:${sketch.account}:instance/${uuid(index)}`,
    region: sketch.region,
    account_id: sketch.account,
    status: sketch.verified ? "verified" : "pending_verification",
    verified_at: sketch.verified ? new Date(now - 86_400_000).toISOString() : null,
    connection: {
      id: connection,
      account_id: sketch.account,
      installer_role_arn: `arn:aws:iam::${sketch.account}:role/ringfence-installer-${connection}`,
      runtime_role_arn: `arn:aws:iam::${sketch.account}:role/ringfence-runtime-${connection}`,
      health: sketch.verified ? (sketch.failing === undefined ? "healthy" : "unhealthy") : "unknown",
      checked_at: sketch.verified ? new Date(now - 240_000).toISOString() : null,
      checks: sketch.verified ? checks(sketch.failing) : [],
    },
    installation_state: installation(id("ins", index), now)?.state ?? "uninstalled",
    policy: sketch.policy,
    created_at: new Date(now - 2 * 86_400_000).toISOString(),
    onboarding,
  } as Instance;
}

function checks(failing: string | undefined): Instance["connection"]["checks"] {
  const assume = {
    name: "assume_role_with_external_id",
    status: "passed" as const,
    detail: "The installer role can be assumed.",
  };
  const without = {
    name: "assume_role_without_external_id",
    status: "passed" as const,
    detail: "Refused, as it should be.",
  };
  const rest = PERMISSIONS.map((name) =>
    name === failing
      ? {
          name,
          status: "failed" as const,
          detail: `The runtime role may not call ${name}.`,
          fix: `Allow ${name} on this instance’s contacts in the role’s policy.`,
        }
      : { name, status: "passed" as const, detail: "Permitted." },
  );
  return [assume, without, ...rest];
}

export function installation(instanceId: string, now: number): Installation | undefined {
  const index = indexOf(instanceId);
  const since = new Date(now - 3_600_000).toISOString();
  const met = (type: string, message: string) => ({
    type,
    status: "true" as const,
    reason: "Done",
    message,
    last_transition_at: since,
  });
  const good: Conditions = [
    met("ShardAssigned", "A limiter in this region serves the instance."),
    met("PermissionGranted", "All permissions needed are there."),
    met("FlowsInstalled", "2 flows are installed and as we wrote them."),
    met("QueuesAttached", "5 of 5 queues are attached."),
    met("Ready", "Calls from the chosen queues are limited."),
  ] as Conditions;
  if (index === 0) return make(instanceId, "installed", good, 8, 8);
  if (index === 1) {
    const waiting = good.map((one) =>
      one.type === "QueuesAttached" || one.type === "Ready"
        ? { ...one, status: "false" as const, message: "2 of 5 queues are still to be attached." }
        : one,
    );
    return make(instanceId, "installing", waiting as Conditions, 5, 8);
  }
  if (index === 2) {
    const blocked = good.map((one) =>
      one.type === "PermissionGranted" || one.type === "Ready"
        ? {
            ...one,
            status: "false" as const,
            reason: "AccessDenied",
            message: "connect:StopContact is not permitted; update the customer stack.",
          }
        : one,
    );
    return make(instanceId, "blocked", blocked as Conditions, 6, 8);
  }
  return undefined;
}

function indexOf(instanceId: string): number {
  return SKETCHES.findIndex((_, index) => id("ins", index) === instanceId);
}

function make(
  instanceId: string,
  state: Installation["state"],
  conditions: Conditions,
  done: number,
  total: number,
): Installation {
  const queues = ["Sales", "Support", "Collections East", "Collections West", "Callbacks"];
  const steps = [
    ["create_notice_flow", "Ringfence notice"],
    ["create_whisper_flow", "Ringfence outbound whisper"],
    ["publish_policy", "us-east-1"],
    ...queues.map((queue) => ["attach_queue", queue]),
  ];
  return {
    instance_id: instanceId,
    generation: 1,
    observed_generation: 1,
    desired: {
      queues: "all",
      existing_whisper: "merge",
      drift: "mend",
      prefix_filter: null,
      on_limiter_unavailable: "allow",
    },
    state,
    conditions,
    steps: steps.map(([name, target], index) => ({
      name: name ?? "",
      target: target ?? "",
      status: index < done ? "done" : "pending",
      detail: "",
      at: START_TIME,
    })),
    progress: { done, total },
    function_arn: "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1",
    notice_flow_id: uuid(900),
    queues: queues.map((name, index) => ({
      queue_id: uuid(500 + index),
      name,
      previous_flow_id: index === 2 ? uuid(700) : null,
      whisper_flow_id: uuid(800),
      state: state === "blocked" && index === 4 ? "refused" : index < done - 3 ? "attached" : "pending",
      detail: state === "blocked" && index === 4 ? "It has a whisper of its own; choose merge or replace." : null,
    })),
    drift: state === "installed" ? DRIFT : [],
  } as Installation;
}

const DRIFT: Installation["drift"] = [
  {
    kind: "role_permission_lost",
    target: "",
    name: "",
    message: "a role was changed: it lacks a permission that it needs",
    advice: "Deploy the template again, or verify the instance to see what is missing.",
    mended: false,
    since: START_TIME,
    ended_at: null,
  },
  {
    kind: "queue_repointed",
    target: uuid(500),
    name: "Sales",
    message: 'the queue "Sales" points at another whisper',
    advice: "",
    mended: true,
    since: START_TIME,
    ended_at: START_TIME,
  },
];

export function policy(): PolicyResource {
  return {
    id: POLICY,
    version: 3,
    policy: {},
    sentences: [
      { rule_id: "three-a-day", text: "At most 3 calls to a customer in any 24 hours" },
      {
        rule_id: "customer-per-minute",
        text: "Calls to a customer are denied from the fifth on, until 60 seconds pass without one",
      },
    ],
    created_at: "2026-11-20T09:00:00Z",
    created_by: id("key", 1),
    in_force: [],
  } as unknown as PolicyResource;
}

export function decisionCount(now: number): number {
  return DECISIONS_BEFORE + Math.floor((now - START) / DECISION_EVERY_MS);
}

function pick<T>(list: readonly T[], number: number): T {
  const value = list[number % list.length];
  if (value === undefined) throw new Error("nothing to pick from");
  return value;
}

export function decision(number: number): Decision {
  const time = START + (number - DECISIONS_BEFORE) * DECISION_EVERY_MS;
  const hash = (number * 2654435761) % 97;
  const outcome =
    hash < 58 ? "allowed" : hash < 78 ? "denied" : hash < 88 ? "would_deny" : hash < 93 ? "failed_open" : "emergency";
  const customer = outcome === "emergency" ? "911" : pick(CUSTOMERS, hash);
  return {
    id: id("dec", number),
    instance_id: id("ins", hash % 2),
    instance_arn: `arn:aws:connect:us-east-1:111122220001:instance/${uuid(0)}`,
    tenant_id: id("ten", 1),
    contact_id: uuid(10_000 + number),
    at: new Date(time).toISOString(),
    outcome,
    mode: "enforce",
    customer_number: customer,
    customer_number_valid: customer.startsWith("+") || customer === "911",
    caller_id: pick(CALLERS, hash),
    agent_arn: `arn:aws:connect:us-east-1:111122220001:instance/${uuid(0)}/agent/${uuid(40 + (hash % 3))}`,
    queue_arn: `arn:aws:connect:us-east-1:111122220001:instance/${uuid(0)}/queue/${uuid(500)}`,
    policy_id: POLICY,
    policy_version: 3,
    revision: 7,
    decided_in_ms: 4 + (hash % 9),
    ...details(outcome, time, hash),
  } as Decision;
}

function details(outcome: Decision["outcome"], time: number, hash: number): Partial<Decision> {
  const retry = new Date(time + (hash % 2 === 0 ? 60_000 : 9 * 3_600_000)).toISOString();
  const day = {
    rule_id: "three-a-day",
    name: "Three calls a day to one customer",
    mode: "enforce" as const,
    applied: true,
    limit: 3,
  };
  const minute = {
    rule_id: "customer-per-minute",
    name: "Repeat calls to one customer",
    mode: "enforce" as const,
    applied: true,
    limit: 4,
  };
  if (outcome === "allowed") return { rules: [day, minute] as NonNullable<Decision["rules"]> };
  if (outcome === "failed_open")
    return { reason: "unavailable", unavailable: "The store did not answer within 1.5 s", rules: [] };
  if (outcome === "emergency") return { reason: "emergency", rules: [] };
  const shadow = outcome === "would_deny";
  const first = {
    ...day,
    count: 3,
    denied: true,
    retry_at: retry,
    mode: shadow ? ("shadow" as const) : ("enforce" as const),
  };
  return {
    reason: "customer",
    rule_id: "three-a-day",
    rule_name: "Three calls a day to one customer",
    retry_at: retry,
    rules: [first, { ...minute, count: 2 }] as NonNullable<Decision["rules"]>,
    ...(shadow
      ? {}
      : {
          stop: hash === 70 ? "failed" : "stopped",
          stop_error: hash === 70 ? "ThrottlingException" : null,
          notice: "sent",
          task_contact_id: uuid(77_000),
        }),
  };
}
