import { describe, expect, it } from "vitest";

import type { Condition, Drift, Installation, Instance } from "../api/types";
import { driftState, installationState, policyState, progressText, words } from "./states";

function policy(
  source: Instance["policy"]["source"],
  version: number | null = null,
  inForce: number | null = null,
  inForceId: string | null = inForce === null ? null : "pol_1",
): Instance {
  return {
    policy: { source, id: "pol_1", version, in_force_version: inForce, in_force_id: inForceId },
  } as Instance;
}

function condition(type: Condition["type"], status: Condition["status"], message = ""): Condition {
  return { type, status, reason: "", message, last_transition_at: "2026-11-25T12:00:00Z" };
}

function installation(state: Installation["state"], conditions: Installation["conditions"]): Installation {
  return { state, conditions, progress: { done: 3, total: 8 } } as Installation;
}

describe("the policy of an instance", () => {
  it("is in force only when the published version is", () => {
    expect(policyState(policy("default", 3, 3))).toMatchObject({ tone: "good", label: "Version 3 in force" });
    expect(policyState(policy("own", 4, 3))).toMatchObject({ tone: "caution", label: "Version 3 in force" });
    expect(policyState(policy("own", 4))).toMatchObject({ label: "Version 4", detail: "Not in force yet" });
    expect(policyState(policy("own", 3, 3, "pol_2"))).toMatchObject({ tone: "caution" });
    expect(policyState(policy("none"))).toMatchObject({ label: "No limits" });
  });
});

describe("progress", () => {
  it("tells how far a look at many queues is, before it knows the steps", () => {
    const progress = {
      done: 0,
      total: 0,
      queues_done: 0,
      queues_total: 0,
      seconds_left: 880,
      looked: 120,
      to_look: 1000,
    };
    expect(progressText(progress)).toBe("Looking at the instance: 120 of 1000 queues, about 15 min left");
  });

  it("tells queues and the time left while there is something left", () => {
    const progress = { done: 3, total: 44, queues_done: 1, queues_total: 40, seconds_left: 120 };
    expect(progressText(progress)).toBe("3 of 44 steps, 1 of 40 queues done, about 2 min left");
    expect(progressText({ ...progress, seconds_left: 30 })).toMatch(/less than a minute left$/);
    expect(progressText({ ...progress, done: 44, queues_done: 40, seconds_left: null })).toBe("44 of 44 steps done");
  });
});

describe("an installation", () => {
  it("is never shown as good while a condition is unmet", () => {
    const state = installationState(
      installation("installed", [
        condition("Ready", "false", "Not ready"),
        condition("QueuesAttached", "false", "Sales has a whisper of its own"),
      ]),
    );
    expect(state).toMatchObject({ tone: "caution", detail: "Sales has a whisper of its own" });
    expect(installationState(installation("blocked", [condition("Ready", "unknown")])).tone).toBe("denied");
  });

  it("of a state this version does not know is shown by name, without a verdict", () => {
    expect(installationState(installation("half_done" as Installation["state"], []))).toMatchObject({
      tone: "plain",
      label: "Half done",
    });
  });

  it("tells how far it has come", () => {
    expect(installationState(installation("installing", [])).detail).toBe("3 of 8 steps");
    expect(installationState(installation("installed", [condition("Ready", "true")])).tone).toBe("good");
    expect(installationState(null).label).toBe("Not installed");
  });
});

it("drift is only called put right once it ended", () => {
  const drift = (mended: boolean, endedAt: string | null) => driftState({ mended, ended_at: endedAt } as Drift).label;
  expect(drift(true, "2026-11-25T12:00:00Z")).toBe("Put right");
  expect(drift(false, "2026-11-25T12:00:00Z")).toBe("Put right");
  expect(drift(true, null)).toBe("Being put right");
  expect(drift(false, null)).toBe("Open");
});

it("names of programs are shown as words", () => {
  expect(words("attach_queue")).toBe("Attach queue");
  expect(words("FlowsInstalled")).toBe("Flows installed");
});
