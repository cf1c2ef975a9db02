import { expect, test } from "vitest";

import type { Installation } from "../api/types";
import { draftOf, faultOf, wishOf } from "./installing";

test("what is asked now comes back from the form unchanged", () => {
  const desired = {
    queues: ["q-1", "q-2"],
    existing_whisper: "merge",
    drift: "report",
    prefix_filter: ["+1"],
    on_limiter_unavailable: "deny",
  };
  expect(wishOf(draftOf({ desired } as unknown as Installation))).toEqual(desired);
});

test("without an installation the form suggests to limit every call and to keep what queues play", () => {
  expect(wishOf(draftOf(null))).toEqual({
    queues: "all",
    existing_whisper: "merge",
    drift: "mend",
    prefix_filter: null,
    on_limiter_unavailable: "allow",
  });
});

test("faults of items are told beside their field", () => {
  const errors = [
    { pointer: "/prefix_filter/1", detail: "must be a plus sign and 1 to 15 digits" },
    { pointer: "/queues", detail: "is required" },
  ];
  expect(faultOf(errors, "prefix_filter")).toBe("Number 2 must be a plus sign and 1 to 15 digits.");
  expect(faultOf(errors, "queues")).toBe("Is required.");
  expect(faultOf(errors, "drift")).toBeNull();
});
