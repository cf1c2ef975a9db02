import { expect, it } from "vitest";

import type { NumberErasure, NumberReset, StandingRule } from "../api/types";
import { erasureText, isSameNumber, keptTexts, resetTexts, ruleText, wholeNumber } from "./standing";

const at = (change: Partial<NumberReset["data"][number]>): NumberReset["data"][number] => ({
  instance_id: "ins_1",
  policy_version: 1,
  reset: true,
  meters: 1,
  problem: null,
  rules_not_reset: [],
  ...change,
});

const reset = (...data: NumberReset["data"]): NumberReset => ({
  number: "+12065550100",
  complete: data.every((one) => one.reset),
  data,
});

const NAMES = new Map([
  ["ins_1", "Sales"],
  ["ins_2", "Support"],
]);

it("a number is whole however its digits are parted, and not before", () => {
  expect(wholeNumber("+1 (206) 555-0100")).toBe("+12065550100");
  expect(wholeNumber("12065550100")).toBe("+12065550100");
  for (const typed of ["", "+12065", "+1206555010012345"]) expect(wholeNumber(typed)).toBeNull();
});

it("an erasure is confirmed by the whole number and no other", () => {
  expect(isSameNumber(" +1 206 555 0100", "+12065550100")).toBe(true);
  for (const typed of ["", "0100", "+12065550101"]) expect(isSameNumber(typed, "+12065550100")).toBe(false);
});

it("a reset tells every place where it was not done, and the rules it could not reach", () => {
  expect(resetTexts(reset(at({})), NAMES)).toEqual(["Done. The next call to this number is the first."]);
  const failed = at({ instance_id: "ins_2", reset: false, problem: "aws_unavailable" });
  expect(resetTexts(reset(at({ rules_not_reset: ["per-campaign"] }), failed), NAMES)).toEqual([
    "Done at 1 of 2 instances.",
    "Support: its region did not answer. Try again.",
    "Sales: per-campaign could not be reset, as contact attributes are not on record.",
  ]);
  const unknown = at({ instance_id: "ins_9", reset: false, problem: "too_many_combinations" });
  expect(resetTexts(reset(unknown), NAMES)[1]).toContain("ins_9");
});

it("a rule's standing says what is left, or that it counts otherwise", () => {
  const rule = { applied: true, count: 3, limit: 4, remaining: 1 } as StandingRule;
  expect(ruleText(rule)).toBe("3 of 4 counted, 1 left");
  expect(ruleText({ ...rule, count: 4, remaining: 0 })).toBe("4 of 4 counted, none left");
  expect(ruleText({ ...rule, applied: false })).toBe("Counted per something else as well");
});

it("an erasure tells how far it is, what keeps it, and what stays", () => {
  const erasure = { state: "erasing", decisions: 1, problem: null, kept: ["audit_log", "listing"] };
  const one = erasure as unknown as NumberErasure;
  expect(erasureText(one)).toContain("1 decision so far");
  expect(erasureText({ ...one, problem: "aws_unavailable" })).toContain("tried again");
  expect(erasureText({ ...one, state: "erased", decisions: 1200 })).toBe("Erased, out of 1,200 decisions.");
  expect(keptTexts(one)).toHaveLength(2);
});
