/** API keys: what is read and sent, and what their permissions mean. */
import { queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { ApiKey, MadeApiKey, NewApiKey, Permission, Role } from "../api/types";
import { whole } from "../api/whole";
import { rank } from "../session/roles";

interface Meaning {
  /** The least role that has it. */
  least: Role;
  text: string;
}

/** Every permission that there is: the compiler knows when one is missing. */
export const PERMISSIONS: Record<Permission, Meaning> = {
  "tenant:view": { least: "viewer", text: "Read instances, policies, decisions, numbers and usage" },
  "policies:edit": { least: "editor", text: "Change limits" },
  "numbers:edit": { least: "editor", text: "Block, exempt and reset numbers" },
  "numbers:erase": { least: "admin", text: "Erase numbers" },
  "installations:edit": { least: "editor", text: "Install and remove" },
  "instances:manage": { least: "admin", text: "Register, verify and delete instances" },
  "keys:view": { least: "admin", text: "See API keys" },
  "keys:manage": { least: "admin", text: "Make, rotate and revoke API keys" },
  "members:view": { least: "viewer", text: "See members" },
  "invitations:view": { least: "admin", text: "See invitations" },
  "members:manage": { least: "admin", text: "Invite, change and remove members" },
  "token-issuers:view": { least: "admin", text: "See token issuers" },
  "token-issuers:manage": { least: "admin", text: "Add and remove token issuers" },
  "webhooks:view": { least: "admin", text: "See webhooks and deliveries" },
  "webhooks:manage": { least: "admin", text: "Change webhooks" },
  "audit:view": { least: "admin", text: "Read the audit log" },
};

/** Those that a role has, in the order above. */
export function permissionsOf(role: Role): Permission[] {
  const all = Object.keys(PERMISSIONS) as Permission[];
  return all.filter((permission) => rank(PERMISSIONS[permission].least) <= rank(role));
}

export const OVERLAPS = [
  { value: "0", label: "ends at once" },
  { value: "3600", label: "works for an hour more" },
  { value: "86400", label: "works for a day more" },
  { value: "604800", label: "works for a week more" },
];

export function keysQuery(api: Api) {
  return queryOptions({
    queryKey: ["api-keys"],
    queryFn: ({ signal }): Promise<ApiKey[]> =>
      whole(async (query) => bodyOf(await api.GET("/v1/api-keys", { params: { query }, signal }))),
  });
}

export async function makeKey(api: Api, body: NewApiKey): Promise<MadeApiKey> {
  return bodyOf(await api.POST("/v1/api-keys", { body }));
}

export async function rotateKey(api: Api, id: string, overlapSeconds: number): Promise<MadeApiKey> {
  const body = { overlap_seconds: overlapSeconds };
  return bodyOf(await api.POST("/v1/api-keys/{id}/rotate", { params: { path: { id } }, body }));
}

export async function revokeKey(api: Api, id: string): Promise<void> {
  await api.DELETE("/v1/api-keys/{id}", { params: { path: { id } } });
}

/** What the key may do, beside its role. */
export function scopesText(key: ApiKey): string {
  if (key.scopes == null) return "All that the role may do";
  return key.scopes.join(", ");
}
