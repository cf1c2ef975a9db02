/** How one can sign in here, and what became of a sign-in that has just come back. */
import { useEffect, useState } from "react";

import { bodyOf, createApi } from "../api/client";

export interface SignInOptions {
  identity_provider: boolean;
  signed_in: boolean;
}

const KEYS_ONLY: SignInOptions = { identity_provider: false, signed_in: false };

/** `null` until they are known. A server that cannot say is told about when the key is tried. */
export function useSignInOptions(): SignInOptions | null {
  const [options, setOptions] = useState<SignInOptions | null>(null);
  useEffect(() => {
    let gone = false;
    const api = createApi({ kind: "session", csrfToken: null, tenantId: null });
    api
      .GET("/v1/sign-in-options")
      .then(
        (answer) => bodyOf(answer),
        () => KEYS_ONLY,
      )
      .then(
        (found) => {
          if (!gone) setOptions(found);
        },
        () => {},
      );
    return () => {
      gone = true;
    };
  }, []);
  return options;
}

const FAULTS: Record<string, string> = {
  denied: "You were not signed in: the identity provider, or you, said no.",
  expired: "The sign-in took too long, or was begun in another window. Sign in again.",
  unavailable: "Your identity provider cannot be reached at the moment. Try again in a moment, or use an API key.",
  refused: "The identity provider's answer was not accepted. If it happens again, tell whoever runs Ringfence.",
};

/** What went wrong with the sign-in that ended here, in a sentence. The address is tidied up. */
export function signInFault(): string | null {
  const found = new URLSearchParams(location.search).get("sign_in");
  if (found === null) return null;
  history.replaceState(null, "", location.pathname);
  return FAULTS[found] ?? null;
}

/** Where to go to sign in and come back to this very place. */
export function signInAddress(): string {
  const here = location.pathname + location.search;
  return `/auth/sign-in?return_to=${encodeURIComponent(here)}`;
}
