import { expect, it } from "vitest";

import type { Me, Tenant } from "../api/types";
import { choosable, named } from "./tenants";

const tenant = (name: string, status: Tenant["status"] = "active") => ({ id: `ten_${name}`, name, status }) as Tenant;
const operator = { role: "operator", memberships: [] as Me["memberships"] } as Me;

it("offers an operator every tenant but those that are being deleted, by name", () => {
  const found = choosable(operator, [
    tenant("Northwind"),
    tenant("Gone", "deleted"),
    tenant("Contoso", "suspended"),
    tenant("Going", "deleting"),
  ]);
  expect(found.map(({ name, note }) => [name, note])).toEqual([
    ["Contoso", "suspended"],
    ["Northwind", ""],
  ]);
});

it("offers a member their own tenants with their roles, whatever else there is", () => {
  const me = { role: null, memberships: [{ tenant: { id: "ten_1", name: "Northwind" }, role: "editor" }] } as Me;
  expect(choosable(me, [tenant("Contoso")])).toEqual([{ id: "ten_1", name: "Northwind", note: "editor" }]);
});

it("finds tenants by parts of their name", () => {
  const all = choosable(operator, [tenant("Northwind Collections"), tenant("Harbor Health")]);
  expect(named(all, "coll NORTH").map(({ name }) => name)).toEqual(["Northwind Collections"]);
  expect(named(all, "")).toHaveLength(2);
  expect(named(all, "energy")).toEqual([]);
});
