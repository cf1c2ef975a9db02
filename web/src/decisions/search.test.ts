import { expect, it } from "vitest";

import { readDecisionSearch } from "./search";

it("an address keeps its filters and the open decision", () => {
  const search = { outcome: "would_deny", instance: "ins_1", decision: "dec_1" };
  expect(readDecisionSearch(search)).toEqual(search);
});

it("an address with anything else still opens the page", () => {
  expect(readDecisionSearch({ outcome: "toString", instance: 7, decision: "ins_1", other: "x" })).toEqual({});
});
