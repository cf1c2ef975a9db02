import { expect, it } from "vitest";

import { readNumberSearch } from "./search";

it("an address names one of the two lists, and any other opens the blocks", () => {
  expect(readNumberSearch({ list: "exemptions" })).toEqual({ list: "exemptions" });
  for (const list of [undefined, "", "toString", 7]) expect(readNumberSearch({ list })).toEqual({ list: "blocks" });
});
