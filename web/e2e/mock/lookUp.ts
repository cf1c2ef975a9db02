/** One number, looked up, reset and erased. */
import type { Instance, NumberErasure, NumberReset, NumberStanding } from "../../src/api/types.ts";
import { type MockAnswer, notFound, ok, problem } from "./api.ts";
import type { Sent } from "./numbers.ts";

let resets = 0;
let looks = 0;

const rule = (count: number): NonNullable<NumberStanding["data"][number]["rules"]>[number] => ({
  rule_id: "repeat-calls",
  name: "Repeat calls to one customer",
  mode: "enforce",
  applied: true,
  not_applied_because: null,
  count,
  limit: 4,
  remaining: 4 - count,
  denied: count === 4,
  retry_at: null,
});

/** The second instance's region does not answer. */
export function lookUp(rest: string[], sent: Sent, instances: Instance[]): MockAnswer {
  const [number, what] = rest.map(decodeURIComponent);
  if (number === undefined) return notFound();
  if (what === "reset") return reset(number, sent, instances);
  if (sent.method === "DELETE") return { status: 202, body: erasure() };
  const data = instances.map(({ id }, place) => ({
    instance_id: id,
    policy_version: 3,
    rules: place === 1 ? null : [rule(resets > 0 ? 0 : 4)],
    problem: place === 1 ? ("aws_unavailable" as const) : null,
  }));
  return ok({ number, listed: "block", data, next_cursor: null });
}

function reset(number: string, sent: Sent, instances: Instance[]): MockAnswer {
  const { reason } = JSON.parse(sent.text) as { reason?: string };
  if (reason === undefined || reason.trim() === "")
    return problem(422, "validation_failed", "1 field is wrong", [
      { pointer: "/reason", code: "missing", detail: "is required" },
    ]);
  resets += 1;
  const body: NumberReset = {
    number,
    complete: false,
    data: instances.map(({ id }, place) => ({
      instance_id: id,
      policy_version: 3,
      reset: place !== 1,
      meters: place === 1 ? 0 : 1,
      problem: place === 1 ? "aws_unavailable" : null,
      rules_not_reset: place === 2 ? ["per-campaign"] : [],
    })),
  };
  return ok(body);
}

/** Over at the second look. */
export function erasures(): MockAnswer {
  looks += 1;
  return ok(erasure(looks > 1));
}

function erasure(isOver = false): NumberErasure {
  return {
    id: "era_019a0000000000000000000000000001",
    number: "+12•••••••01",
    state: isOver ? "erased" : "erasing",
    requested_at: new Date().toISOString(),
    erased_at: isOver ? new Date().toISOString() : null,
    decisions: isOver ? 12 : 0,
    meters: isOver ? 2 : 0,
    kept: ["audit_log", "listing"],
    problem: null,
  };
}
