/**
 * Who is signed in, and the client that speaks for them.
 *
 * The key lives in sessionStorage: gone with the tab, not shared with other tabs, never sent as a cookie. Each sign-in
 * starts with an empty cache, so nothing one tenant read is ever shown to another.
 */
import { createContext, useContext } from "react";

import type { Api } from "../api/client";
import type { Me } from "../api/types";

const STORED_AS = "ringfence.key";

export interface Session {
  api: Api;
  me: Me;
  signOut: () => void;
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("a signed-in screen was shown without a session");
  return session;
}

export function storedKey(): string | null {
  return sessionStorage.getItem(STORED_AS);
}

export function storeKey(key: string): void {
  sessionStorage.setItem(STORED_AS, key);
}

export function forgetKey(): void {
  sessionStorage.removeItem(STORED_AS);
}
