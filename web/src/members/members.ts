/** Who belongs to the tenant: what is read and sent, and who may do what. */
import { queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { Invitation, MadeInvitation, Me, Member, Role } from "../api/types";

export const ROLES: Role[] = ["viewer", "editor", "admin", "owner"];

export const MEANINGS: Record<Role, string> = {
  viewer: "Sees everything, changes nothing",
  editor: "Also changes limits, numbers and installations",
  admin: "Also registers instances, makes keys and manages members",
  owner: "Everything, and makes other owners",
};

/** How far somebody's own role reaches. An operator has an owner's. */
function rank(role: string | null | undefined): number {
  return role === "operator" ? ROLES.length - 1 : ROLES.findIndex((one) => one === role);
}

export function mayManage(me: Me): boolean {
  return rank(me.role) >= rank("admin");
}

/** Nobody gives more than they have. */
export function givable(me: Me): Role[] {
  return ROLES.filter((role) => rank(role) <= rank(me.role));
}

/** Nobody touches whoever has more. */
export function mayTouch(me: Me, member: Member): boolean {
  return mayManage(me) && rank(member.role) <= rank(me.role);
}

async function whole<T>(read: (cursor: string | undefined) => Promise<{ data: T[]; next_cursor?: string | null }>) {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    all.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}

const query = (cursor: string | undefined) => ({ limit: 100, ...(cursor === undefined ? {} : { cursor }) });

export function membersQuery(api: Api) {
  return queryOptions({
    queryKey: ["members"],
    queryFn: ({ signal }): Promise<Member[]> =>
      whole(async (cursor) => bodyOf(await api.GET("/v1/members", { params: { query: query(cursor) }, signal }))),
  });
}

export function invitationsQuery(api: Api) {
  return queryOptions({
    queryKey: ["invitations"],
    queryFn: ({ signal }): Promise<Invitation[]> =>
      whole(async (cursor) => bodyOf(await api.GET("/v1/invitations", { params: { query: query(cursor) }, signal }))),
  });
}

export async function changeRole(api: Api, id: string, role: Role): Promise<void> {
  await api.PATCH("/v1/members/{id}", { params: { path: { id } }, body: { role } });
}

export async function removeMember(api: Api, id: string): Promise<void> {
  await api.DELETE("/v1/members/{id}", { params: { path: { id } } });
}

export interface NewInvitation {
  role: Role;
  email: string;
}

export async function invite(api: Api, { role, email }: NewInvitation): Promise<MadeInvitation> {
  const body = { role, ...(email.trim() === "" ? {} : { email: email.trim() }) };
  return bodyOf(await api.POST("/v1/invitations", { body }));
}

export async function withdraw(api: Api, id: string): Promise<void> {
  await api.DELETE("/v1/invitations/{id}", { params: { path: { id } } });
}
