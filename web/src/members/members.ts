/** Who belongs to the tenant: what is read and sent. */
import { queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { Invitation, MadeInvitation, Member, Role } from "../api/types";
import { whole } from "../api/whole";

export function membersQuery(api: Api) {
  return queryOptions({
    queryKey: ["members"],
    queryFn: ({ signal }): Promise<Member[]> =>
      whole(async (query) => bodyOf(await api.GET("/v1/members", { params: { query }, signal }))),
  });
}

export function invitationsQuery(api: Api) {
  return queryOptions({
    queryKey: ["invitations"],
    queryFn: ({ signal }): Promise<Invitation[]> =>
      whole(async (query) => bodyOf(await api.GET("/v1/invitations", { params: { query }, signal }))),
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
