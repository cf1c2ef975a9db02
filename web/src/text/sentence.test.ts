import { expect, it } from "vitest";

import { sentence } from "./sentence";

it("clauses begin like sentences, names are left alone", () => {
  expect(sentence("every chosen queue runs the whisper")).toBe("Every chosen queue runs the whisper");
  expect(sentence("connect:StopContact is not permitted")).toBe("connect:StopContact is not permitted");
  expect(sentence("")).toBe("");
});
