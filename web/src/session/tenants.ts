/** The tenants that somebody can choose from, and what an operator reads and makes of them. */
import { queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { Me, Tenant } from "../api/types";
import { whole } from "../api/whole";

export interface Choosable {
  id: string;
  name: string;
  /** One's role there; for an operator what is out of the ordinary. */
  note: string;
}

/** For operators: every tenant. */
export function tenantsQuery(api: Api) {
  return queryOptions({
    queryKey: ["tenants"],
    queryFn: ({ signal }): Promise<Tenant[]> =>
      whole(async (query) => bodyOf(await api.GET("/v1/tenants", { params: { query }, signal }))),
  });
}

export async function makeTenant(api: Api, name: string): Promise<Tenant> {
  return bodyOf(await api.POST("/v1/tenants", { body: { name: name.trim() } }));
}

/** Tenants that are gone, or going, are nobody's to choose. In the order of their names. */
export function choosable(me: Me, tenants: Tenant[]): Choosable[] {
  const all =
    me.role === "operator"
      ? tenants
          .filter(({ status }) => status === "active" || status === "suspended")
          .map(({ id, name, status }) => ({ id, name, note: status === "suspended" ? "suspended" : "" }))
      : me.memberships.map(({ tenant, role }) => ({ id: tenant.id, name: tenant.name, note: role }));
  return all.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
}

/** Those whose name has every word of what was typed. */
export function named(tenants: Choosable[], wanted: string): Choosable[] {
  const words = wanted.toLowerCase().split(/\s+/);
  return tenants.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
}
