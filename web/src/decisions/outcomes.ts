/** How each outcome is called, coloured and explained. */
import type { Decision, Outcome } from "../api/types";
import type { Tone } from "../ui/Badge";

interface Look {
  label: string;
  tone: Tone;
}

const LOOKS: Record<Outcome, Look> = {
  allowed: { label: "Allowed", tone: "plain" },
  denied: { label: "Denied", tone: "denied" },
  would_deny: { label: "Would deny", tone: "caution" },
  failed_open: { label: "Failed open", tone: "fault" },
  failed_closed: { label: "Failed closed", tone: "fault" },
  emergency: { label: "Emergency", tone: "note" },
  exempt: { label: "Exempt", tone: "note" },
  suspended: { label: "Suspended", tone: "plain" },
  unregistered: { label: "Unregistered", tone: "plain" },
};

/** Never recorded, so there is nothing to look for. */
const UNRECORDED: Outcome = "unregistered";

export const OUTCOMES = (Object.keys(LOOKS) as Outcome[]).filter((outcome) => outcome !== UNRECORDED);

export function isOutcome(value: unknown): value is Outcome {
  return typeof value === "string" && Object.hasOwn(LOOKS, value);
}

export function lookOf(outcome: Outcome): Look {
  return LOOKS[outcome];
}

export function ruleLabel(decision: Decision): string | undefined {
  return decision.rule_name ?? decision.rule_id ?? undefined;
}

/** Where no rule decided, but a list of the tenant's. */
const BLOCKED = "blocked";

export function listLabel(decision: Decision): string | undefined {
  if (decision.reason === BLOCKED) return "Blocked number";
  return decision.outcome === "exempt" ? "Exempt number" : undefined;
}

/** One sentence that a compliance lead can put into a report. */
export function explanation(decision: Decision): string {
  const rule = ruleLabel(decision);
  const because = rule === undefined ? "" : ` by the rule “${rule}”`;
  switch (decision.outcome) {
    case "allowed":
      return "The call was allowed: no rule stood against it.";
    case "denied":
      if (decision.reason === BLOCKED) return "The call was denied: the number is on your list of blocked numbers.";
      return `The call was denied${because}.`;
    case "would_deny":
      if (decision.reason === BLOCKED)
        return "The call was allowed, because the policy is in shadow mode: the number is on your list of blocked numbers.";
      return `The call was allowed. It would have been denied${because}, which is in shadow mode.`;
    case "emergency":
      return "Emergency numbers are never counted and never denied.";
    case "exempt":
      return "The number is exempt: the call was allowed and not counted.";
    case "suspended":
      return "The call was allowed without counting, because this tenant is suspended.";
    case "unregistered":
      return "The call was allowed without counting, because the instance is not registered.";
    case "failed_open":
      return "The call could not be counted in time, and was allowed, as the policy says for this case.";
    case "failed_closed":
      return "The call could not be counted in time, and was denied, as the policy says for this case.";
  }
}

export function wasDenied(outcome: Outcome): boolean {
  return outcome === "denied" || outcome === "failed_closed";
}
