/** What the address of the decisions page says: which are listed, and which one is open. */
import type { Outcome } from "../api/types";
import { isOutcome } from "./outcomes";

export interface DecisionSearch {
  outcome?: Outcome;
  instance?: string;
  decision?: string;
}

/** What an address must not say is dropped rather than reported: old links go on working. */
export function readDecisionSearch(search: Record<string, unknown>): DecisionSearch {
  const { outcome, instance, decision } = search;
  return {
    ...(isOutcome(outcome) ? { outcome } : {}),
    ...(isId(instance, "ins_") ? { instance } : {}),
    ...(isId(decision, "dec_") ? { decision } : {}),
  };
}

function isId(value: unknown, prefix: string): value is string {
  return typeof value === "string" && value.startsWith(prefix);
}
