import { describe, expect, it } from "vitest";

import type { Coverage } from "../api/types";
import { standing, summary } from "./coverage";

const NOW = Date.parse("2026-11-25T12:00:00Z");

function coverage(of: Partial<Coverage>): Coverage {
  return {
    state: "read",
    computed_at: "2026-11-25T11:20:00Z",
    progress: null,
    problem: null,
    complete: true,
    queues: [],
    missing_permissions: [],
    ways_round: [],
    ...of,
  };
}

describe("the reading of routing profiles", () => {
  it("tells how far it has come and how long the rest takes", () => {
    const progress = { done: 180, total: 500, seconds_left: 640 };
    expect(standing(coverage({ state: "reading", progress }), NOW)).toBe(
      "Reading routing profiles: 180 of 500, about 11 min left.",
    );
    const soon = { done: 499, total: 500, seconds_left: 2 };
    expect(standing(coverage({ state: "reading", progress: soon }), NOW)).toMatch(/less than a minute left/);
    expect(standing(coverage({ state: "reading" }), NOW)).toMatch(/about to be read/);
  });

  it("tells why it does not go on, and when it was done last", () => {
    const problem = "Amazon Connect throttles this account; Ringfence tries again";
    expect(standing(coverage({ state: "reading", problem }), NOW)).toContain(problem);
    expect(standing(coverage({}), NOW)).toBe("Routing profiles read 40 min ago.");
    expect(standing(coverage({ state: "not_read", computed_at: null }), NOW)).toMatch(/never read/);
  });

  it("tells why the last try was given up", () => {
    const problem = "the installer role cannot be assumed";
    expect(standing(coverage({ problem }), NOW)).toBe(
      "Routing profiles read 40 min ago. The last try was given up: the installer role cannot be assumed.",
    );
    const never = coverage({ state: "not_read", computed_at: null, problem });
    expect(standing(never, NOW)).toMatch(/never read. The last try was given up/);
  });

  it("claims nothing before the first has ended", () => {
    expect(summary(coverage({ state: "reading", computed_at: null }))).toBe("Being read");
    expect(summary(coverage({ state: "not_read", computed_at: null }))).toBe("Not read yet");
    expect(summary(coverage({}))).toBe("No agent can dial from any queue");
  });
});
