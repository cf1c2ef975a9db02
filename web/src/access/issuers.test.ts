import { expect, it } from "vitest";

import type { TokenIssuer } from "../api/types";
import { readRoles, rolesText } from "./issuers";

it("reads a role for each value, and leaves what is none to the API", () => {
  expect(readRoles("ringfence-admins = admin\n\n a=b = viewer \nnobody")).toEqual({
    "ringfence-admins": "admin",
    "a=b": "viewer",
    nobody: "",
  });
  expect(readRoles("")).toEqual({});
});

it("says who may do what", () => {
  const issuer = { role_claim: "groups", roles: { staff: "viewer" }, default_role: null } as unknown as TokenIssuer;
  expect(rolesText(issuer)).toBe("groups – staff: viewer, others: refused");
  expect(rolesText({ ...issuer, role_claim: null, roles: {}, default_role: "viewer" } as TokenIssuer)).toBe(
    "others: viewer",
  );
});
