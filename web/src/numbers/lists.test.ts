import { expect, it } from "vitest";

import type { ListedNumber, Me } from "../api/types";
import { hasExpired, importedText, mayEdit } from "./lists";

it("an import is told by what became of its rows", () => {
  expect(importedText({ added: 50_000, changed: 0, unchanged: 2 })).toBe("50,000 added, 2 there already.");
  expect(importedText({ added: 0, changed: 1, unchanged: 0 })).toBe("1 changed.");
  expect(importedText({ added: 0, changed: 0, unchanged: 0 })).toBe("The file has no rows.");
});

it("an entry has expired from its very last moment on", () => {
  const entry = { expires_at: "2026-11-25T12:00:00Z" } as ListedNumber;
  const end = Date.parse("2026-11-25T12:00:00Z");
  expect([hasExpired(entry, end - 1), hasExpired(entry, end)]).toEqual([false, true]);
  expect(hasExpired({ ...entry, expires_at: null }, end)).toBe(false);
});

it("a viewer is offered no change", () => {
  expect(mayEdit({ role: "viewer" } as Me)).toBe(false);
  expect(mayEdit({ role: "editor" } as Me)).toBe(true);
});
