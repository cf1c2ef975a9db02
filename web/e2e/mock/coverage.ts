/** An instance's queues and coverage, as Amazon Connect and the API would tell them. */
import type { Coverage, Queue } from "../../src/api/types.ts";

const NAMES = ["Sales", "Support", "Collections East", "Collections West", "Callbacks"];

function queueId(index: number): string {
  return `6f1c2a90-0000-4000-8000-${(500 + index).toString(16).padStart(12, "0")}`;
}

export function queues(): { data: Queue[]; next_cursor: null } {
  const data = NAMES.map((name, index) => ({
    queue_id: queueId(index),
    queue_arn: `arn:aws:connect:us-east-1:111122220001:instance/i/queue/${queueId(index)}`,
    name,
    whisper_flow_id: null,
    whisper_flow_name: index === 2 ? "Consent" : null,
    caller_id_number_id: null,
    covered: index !== 4,
  }));
  return { data, next_cursor: null };
}

export function coverage(): Coverage {
  const profile = (name: string, isDefault: boolean) => ({
    routing_profile_id: name,
    routing_profile_name: name,
    default_outbound: isDefault,
  });
  const found = NAMES.map((name, index) => ({
    queue_id: queueId(index),
    name,
    covered: index !== 4,
    whisper_flow_id: null,
    whisper_read_at: index === 4 ? "2026-11-25T11:19:30Z" : null,
    dialled_by: [profile("Basic Routing Profile", index === 0), ...(index > 2 ? [profile("Evening team", true)] : [])],
    reason: index === 4 ? "the installation does not name this queue" : null,
    fix:
      index === 4
        ? "Add it to the installation's queues, choose all of them, or take it out of the routing profiles."
        : null,
  }));
  return {
    state: "read",
    computed_at: "2026-11-25T11:20:00Z",
    progress: null,
    problem: null,
    complete: false,
    queues: found.toSorted((a, b) => Number(a.covered) - Number(b.covered)),
    missing_permissions: [],
    ways_round: [
      {
        kind: "external_transfers",
        detail: "Transfers and conferences to outside numbers, by an agent or by a quick connect, run no flow at all.",
        fix: "Give queues no quick connects to outside numbers that limits are about.",
      },
      {
        kind: "limiter_unavailable",
        detail: "Calls go out, not counted, while the limiter function gives no answer.",
        fix: "Choose on_limiter_unavailable deny and deploy customer-fallback.yaml.",
      },
    ],
  };
}
