/** What the roles mean, and what follows from one's own. */
import type { Me, Role } from "../api/types";

export const ROLES: Role[] = ["viewer", "editor", "admin", "owner"];

export const MEANINGS: Record<Role, string> = {
  viewer: "Sees everything, changes nothing",
  editor: "Also changes limits, numbers and installations",
  admin: "Also registers instances, makes keys and manages members",
  owner: "Everything, and makes other owners",
};

/** How far a role reaches. An operator has an owner's. */
export function rank(role: string | null | undefined): number {
  return role === "operator" ? ROLES.length - 1 : ROLES.findIndex((one) => one === role);
}

/** Registering instances, members, keys, token issuers and webhooks are for admins and owners. */
export function mayManage(me: Me): boolean {
  return rank(me.role) >= rank("admin");
}

/** Nobody gives more than they have. */
export function givable(me: Me): Role[] {
  return ROLES.filter((role) => rank(role) <= rank(me.role));
}

/** Nobody touches what has more than they. */
export function mayTouch(me: Me, held: { role: Role }): boolean {
  return mayManage(me) && rank(held.role) <= rank(me.role);
}
