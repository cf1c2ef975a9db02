/** Shows the dashboard to those who are signed in, and the sign-in page to everybody else, at any address. */
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useMemo, useState } from "react";

import { bodyOf, createApi, type Credential } from "../api/client";
import { ApiProblem, isRetryable } from "../api/problem";
import { ProblemNotice } from "../ui/Notice";
import { AcceptInvitation } from "./AcceptInvitation";
import { ChooseTenant } from "./ChooseTenant";
import { useSignInOptions } from "./options";
import { forget, SessionContext, storedKey, storedTenant, storeKey, storeTenant } from "./session";
import { SignIn } from "./SignIn";
import classes from "./SignIn.module.css";

const TRIES_MAX = 3;

type Ended = "key" | "session" | null;

export function SessionGate({ children }: { children: ReactNode }) {
  const [key, setKey] = useState(storedKey);
  const [tenantId, setTenantId] = useState(storedTenant);
  const [left, setLeft] = useState(false);
  const [ended, setEnded] = useState<Ended>(null);
  const options = useSignInOptions();

  const signIn = useCallback((entered: string) => {
    storeKey(entered);
    setEnded(null);
    setKey(entered);
  }, []);
  const leave = useCallback((why: Ended) => {
    forget();
    setEnded(why);
    setLeft(true);
    setKey(null);
    setTenantId(null);
  }, []);
  const choose = useCallback((id: string | null) => {
    storeTenant(id);
    setTenantId(id);
  }, []);

  if (location.pathname === "/accept-invitation") return <AcceptInvitation options={options} />;
  if (key !== null) {
    return (
      <SignedIn key={key} credential={{ kind: "key", key }} onLeave={leave} onChoose={choose}>
        {children}
      </SignedIn>
    );
  }
  if (options === null) return <div className={classes.waiting} role="status" aria-label="Loading" />;
  if (left || !options.signed_in) return <SignIn ended={ended} options={options} onSignIn={signIn} />;
  return (
    <SignedIn
      key={tenantId}
      credential={{ kind: "session", csrfToken: null, tenantId }}
      onLeave={leave}
      onChoose={choose}
    >
      {children}
    </SignedIn>
  );
}

interface SignedInProps {
  credential: Credential;
  onLeave: (why: Ended) => void;
  onChoose: (tenantId: string | null) => void;
  children: ReactNode;
}

function SignedIn(props: SignedInProps) {
  const cache = useMemo(newCache, []);
  return (
    <QueryClientProvider client={cache}>
      <Known {...props} />
    </QueryClientProvider>
  );
}

/** `credential` is what the sign-in began with; it stays for as long as this is shown. */
function Known({ credential: given, onLeave, onChoose, children }: SignedInProps) {
  const [credential] = useState(given);
  const refused = useCallback(() => onLeave(credential.kind), [credential, onLeave]);
  const bare = useMemo(() => createApi(credential, refused), [credential, refused]);
  const me = useQuery({
    queryKey: ["me"],
    queryFn: async ({ signal }) => {
      try {
        return bodyOf(await bare.GET("/v1/me", { signal }));
      } catch (problem) {
        // The tenant that this tab showed last is not theirs any more.
        if (problem instanceof ApiProblem && problem.status === 404) onChoose(null);
        throw problem;
      }
    },
    staleTime: Infinity,
  });
  const session = useMemo(() => {
    if (me.data === undefined) return undefined;
    const csrfToken = me.data.csrf_token ?? null;
    const api = credential.kind === "key" ? bare : createApi({ ...credential, csrfToken }, refused);
    const signOut = async () => {
      if (credential.kind === "session") {
        const failure = await api.DELETE("/v1/session").then(
          () => null,
          (problem: unknown) => problem,
        );
        const over = failure === null || (failure instanceof ApiProblem && failure.status === 401);
        if (!over) return;
      }
      onLeave(null);
    };
    const hasChoice = credential.kind === "session" && (me.data.memberships.length > 1 || me.data.role === "operator");
    return { api, me: me.data, signOut, leaveTenant: hasChoice ? () => onChoose(null) : undefined };
  }, [bare, credential, me.data, onChoose, onLeave, refused]);

  if (session !== undefined) {
    if (session.me.tenant == null) return <ChooseTenant session={session} onChoose={onChoose} />;
    return <SessionContext value={session}>{children}</SessionContext>;
  }
  if (me.isError) {
    return (
      <main className={classes.failure}>
        <ProblemNotice problem={me.error} what="Signing in did not work" onRetry={() => void me.refetch()} />
      </main>
    );
  }
  return <div className={classes.waiting} role="status" aria-label="Signing in" />;
}

function newCache(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 1000,
        retry: (failures, problem) => failures < TRIES_MAX && isRetryable(problem),
      },
    },
  });
}
