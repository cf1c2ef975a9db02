import { expect, it } from "vitest";

import type { Me, Member } from "../api/types";
import { givable, mayManage, mayTouch } from "./roles";

const me = (role: string | null) => ({ role }) as Me;
const member = (role: string) => ({ role }) as Member;

it("offers no role above one's own, and an operator all of them", () => {
  expect(givable(me("admin"))).toEqual(["viewer", "editor", "admin"]);
  expect(givable(me("owner"))).toEqual(["viewer", "editor", "admin", "owner"]);
  expect(givable(me("operator"))).toEqual(["viewer", "editor", "admin", "owner"]);
});

it("lets admins manage members, but none that have more than they", () => {
  expect(["viewer", "editor", "admin", "owner", "operator", null].map((role) => mayManage(me(role)))).toEqual([
    false,
    false,
    true,
    true,
    true,
    false,
  ]);
  expect(mayTouch(me("admin"), member("owner"))).toBe(false);
  expect(mayTouch(me("admin"), member("admin"))).toBe(true);
  expect(mayTouch(me("editor"), member("viewer"))).toBe(false);
});
