/** A year of decisions, and quotas of which one is used up. */
import type { Quota, Usage } from "../../src/api/types.ts";
import { type MockAnswer, ok } from "./api.ts";

const MONTHS = 12;

export function usage(empty: boolean, now: number): MockAnswer {
  const present = new Date(now);
  const data = Array.from({ length: MONTHS }, (_, back) => {
    const month = new Date(Date.UTC(present.getUTCFullYear(), present.getUTCMonth() - back, 1));
    const decisions = empty || back > 8 ? 0 : 182_000 - back * 17_300;
    const denied = Math.round(decisions * 0.031);
    return {
      month: month.toISOString().slice(0, 7),
      decisions,
      by_outcome: decisions === 0 ? {} : { allowed: decisions - denied - 40, denied, failed_open: 40 },
    };
  });
  const body: Usage = { data, decisions_per_month: { limit: 200_000, used: 182_000, exceeded: false } };
  return ok(body);
}

export function quotas(): MockAnswer {
  const data: Quota[] = [
    { quota: "instances", limit: 100, used: 3 },
    { quota: "api_keys", limit: 100, used: 3 },
    { quota: "webhooks", limit: 3, used: 3 },
    { quota: "listed_numbers", limit: 500_000, used: 1_204 },
    { quota: "decisions_per_month", limit: 200_000, used: 182_000 },
  ];
  return ok({ data });
}
