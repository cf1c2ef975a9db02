/** Members and open invitations, and what is done to them while the mock runs. */
import type { Invitation, Member } from "../../src/api/types.ts";
import { type MockAnswer, notFound, ok } from "./api.ts";
import type { Sent } from "./numbers.ts";

const WEEK_MS = 7 * 86_400_000;
const START = Date.now();

const id = (prefix: string, number: number) => `${prefix}_019a${number.toString(16).padStart(28, "0")}`;

let held: Member[] = [
  ["Ada Lindqvist", "ada.lindqvist@northwind.example", "owner"],
  ["Benedikt Achterberg-Montgomery", "b.achterberg-montgomery@northwind.example", "admin"],
  ["Chiara Rossi", "chiara@northwind.example", "editor"],
  [null, "new.colleague@northwind.example", "viewer"],
].map(([name, email, role], row) => ({
  id: id("mem", row + 1),
  name,
  email,
  role,
  created_at: new Date(START - (row + 1) * WEEK_MS).toISOString(),
})) as Member[];

let open: Invitation[] = [invitation("viewer", "dora@northwind.example"), invitation("editor", null)];

function invitation(role: string, email: string | null): Invitation {
  return {
    id: id("inv", Math.floor(Math.random() * 2 ** 40)),
    role,
    email,
    invited_by: `member:${id("mem", 1)}`,
    created_at: new Date().toISOString(),
    expires_at: new Date(Date.now() + WEEK_MS).toISOString(),
  } as Invitation;
}

export function members(resource: string, empty: boolean, wanted: string | undefined, sent: Sent): MockAnswer {
  if (sent.method === "DELETE") {
    held = held.filter((member) => member.id !== wanted);
    open = open.filter((one) => one.id !== wanted);
    return { status: 204, body: undefined };
  }
  if (sent.method === "PATCH") {
    const member = held.find((one) => one.id === wanted);
    if (member === undefined) return notFound();
    member.role = (JSON.parse(sent.text) as Member).role;
    return ok(member);
  }
  if (sent.method === "POST") {
    const { role, email } = JSON.parse(sent.text) as Invitation;
    const made = invitation(role, email ?? null);
    open.push(made);
    return { status: 201, body: { ...made, link: "https://ringfence.example/accept-invitation#rf_inv_0123456789" } };
  }
  return ok({ data: empty ? [] : resource === "members" ? held : open, next_cursor: null });
}
