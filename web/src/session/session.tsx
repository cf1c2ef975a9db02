/**
 * Who is signed in, and the client that speaks for them.
 *
 * A person's session is a cookie that no script can read; what stands in sessionStorage is only which tenant this tab
 * shows. A key lives in sessionStorage: gone with the tab, not shared with other tabs, never sent as a cookie. Each
 * sign-in, and each change of tenant, starts with an empty cache, so nothing one tenant read is ever shown to another.
 */
import { createContext, useContext } from "react";

import type { Api } from "../api/client";
import type { Me } from "../api/types";

const KEY = "ringfence.key";
const TENANT = "ringfence.tenant";
const INVITATION = "ringfence.invitation";

export interface Session {
  api: Api;
  me: Me;
  /** Does nothing where the server could not be told: the session goes on, and the button stays. */
  signOut: () => Promise<void>;
  /** Back to the choice of tenants; absent where there is no choice. */
  leaveTenant: (() => void) | undefined;
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("a signed-in screen was shown without a session");
  return session;
}

export function storedKey(): string | null {
  return sessionStorage.getItem(KEY);
}

export function storeKey(key: string): void {
  sessionStorage.setItem(KEY, key);
}

export function storedTenant(): string | null {
  return sessionStorage.getItem(TENANT);
}

export function storeTenant(id: string | null): void {
  if (id === null) sessionStorage.removeItem(TENANT);
  else sessionStorage.setItem(TENANT, id);
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(TENANT);
}

/** The token of the invitation that was opened here. It leaves the address at once, and survives going to sign in. */
export function openedInvitation(): string | null {
  const token = location.hash.slice(1);
  if (token.startsWith("rf_inv_")) {
    sessionStorage.setItem(INVITATION, token);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(INVITATION);
}

export function forgetInvitation(): void {
  sessionStorage.removeItem(INVITATION);
}
