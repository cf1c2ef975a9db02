import { expect, it } from "vitest";

import type { ApiKey } from "../api/types";
import { permissionsOf, scopesText } from "./keys";

it("offers only permissions that the role has", () => {
  expect(permissionsOf("viewer")).toEqual(["tenant:view", "members:view"]);
  expect(permissionsOf("editor")).toContain("numbers:edit");
  expect(permissionsOf("editor")).not.toContain("keys:manage");
  expect(permissionsOf("owner")).toEqual(permissionsOf("admin"));
});

it("says what a key is narrowed to", () => {
  expect(scopesText({ scopes: null } as unknown as ApiKey)).toBe("All that the role may do");
  expect(scopesText({ scopes: ["tenant:view", "numbers:edit"] } as unknown as ApiKey)).toBe(
    "tenant:view, numbers:edit",
  );
});
