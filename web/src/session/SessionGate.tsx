/** Shows the dashboard to those who are signed in, and the sign-in form to everybody else, at any address. */
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useMemo, useState } from "react";

import { bodyOf, createApi } from "../api/client";
import { isRetryable } from "../api/problem";
import { ProblemNotice } from "../ui/Notice";
import classes from "./SignIn.module.css";
import { forgetKey, SessionContext, storedKey, storeKey } from "./session";
import { SignIn } from "./SignIn";

const TRIES_MAX = 3;

export function SessionGate({ children }: { children: ReactNode }) {
  const [key, setKey] = useState(storedKey);
  const [ended, setEnded] = useState(false);

  const signIn = useCallback((entered: string) => {
    storeKey(entered);
    setEnded(false);
    setKey(entered);
  }, []);
  const leave = useCallback((refused: boolean) => {
    forgetKey();
    setEnded(refused);
    setKey(null);
  }, []);

  if (key === null) return <SignIn ended={ended} onSignIn={signIn} />;
  return (
    <SignedIn key={key} apiKey={key} onLeave={leave}>
      {children}
    </SignedIn>
  );
}

interface SignedInProps {
  apiKey: string;
  onLeave: (refused: boolean) => void;
  children: ReactNode;
}

function SignedIn({ apiKey, onLeave, children }: SignedInProps) {
  const api = useMemo(() => createApi(apiKey, () => onLeave(true)), [apiKey, onLeave]);
  const cache = useMemo(newCache, []);
  return (
    <QueryClientProvider client={cache}>
      <Known api={api} onLeave={onLeave}>
        {children}
      </Known>
    </QueryClientProvider>
  );
}

function Known({
  api,
  onLeave,
  children,
}: {
  api: ReturnType<typeof createApi>;
  onLeave: (refused: boolean) => void;
  children: ReactNode;
}) {
  const me = useQuery({
    queryKey: ["me"],
    queryFn: async ({ signal }) => bodyOf(await api.GET("/v1/me", { signal })),
    staleTime: Infinity,
  });
  const session = useMemo(
    () => me.data && { api, me: me.data, signOut: () => onLeave(false) },
    [api, me.data, onLeave],
  );

  if (session !== undefined) return <SessionContext value={session}>{children}</SessionContext>;
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
