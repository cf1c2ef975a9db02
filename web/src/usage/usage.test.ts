import { expect, it } from "vitest";

import type { Quota, UsageMonth } from "../api/types";
import { monthText, outcomesText, quotaState, share } from "./usage";

const quota = (used: number, limit: number | null) => ({ quota: "webhooks", used, limit }) as Quota;

it("tells when a quota is worth a word", () => {
  expect([quota(2, 10), quota(8, 10), quota(10, 10), quota(12, 10), quota(9, null)].map(quotaState)).toEqual([
    null,
    { tone: "note", text: "Nearly used up" },
    { tone: "caution", text: "Used up" },
    { tone: "caution", text: "Exceeded" },
    null,
  ]);
});

it("takes no more than the whole, and nothing of no limit", () => {
  expect([quota(5, 10), quota(20, 10), quota(0, 0), quota(3, null)].map(share)).toEqual([0.5, 1, 1, null]);
});

it("names months and outcomes", () => {
  expect(monthText("2026-11")).toBe("November 2026");
  const month = { month: "2026-11", decisions: 12_000, by_outcome: { denied: 200, allowed: 11_800 } } as UsageMonth;
  expect(outcomesText(month)).toBe("11,800 allowed, 200 denied");
});
