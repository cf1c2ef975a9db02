/** Where the link of an invitation leads: sign in, then accept. */
import { Button } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";

import { bodyOf, createApi } from "../api/client";
import { ApiProblem } from "../api/problem";
import type { Me } from "../api/types";
import { Mark } from "../ui/Mark";
import { ProblemNotice } from "../ui/Notice";
import { type SignInOptions, signInAddress } from "./options";
import { forget, forgetInvitation, openedInvitation, storeTenant } from "./session";
import classes from "./SignIn.module.css";

export function AcceptInvitation({ options }: { options: SignInOptions | null }) {
  const [token] = useState(openedInvitation);
  useEffect(() => {
    document.title = "Invitation · Ringfence";
  }, []);
  if (options === null) return <div className={classes.waiting} role="status" aria-label="Loading" />;
  if (token === null) {
    return (
      <Card title="There is no invitation here">
        <p className={classes.lead}>Open the link of your invitation again, whole, in this browser.</p>
        <Button component="a" href="/" variant="default">
          To the dashboard
        </Button>
      </Card>
    );
  }
  if (!options.identity_provider) {
    return (
      <Card title="Nobody can sign in here">
        <p className={classes.lead}>
          Invitations are for people who sign in with an identity provider, and none is set up. Ask whoever runs
          Ringfence.
        </p>
      </Card>
    );
  }
  return options.signed_in ? <Accept token={token} /> : <SignInFirst />;
}

function SignInFirst() {
  return (
    <Card title="You are invited">
      <p className={classes.lead}>Sign in with your organisation's account to accept the invitation.</p>
      <Button component="a" href={signInAddress()} size="md" fullWidth>
        Sign in
      </Button>
    </Card>
  );
}

function Accept({ token }: { token: string }) {
  const [me, setMe] = useState<Me | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    const api = createApi({ kind: "session", csrfToken: null, tenantId: null });
    api.GET("/v1/me").then((answer) => setMe(bodyOf(answer)), setProblem);
  }, []);
  if (problem instanceof ApiProblem && problem.status === 401) return <SignInFirst />;

  async function accept(csrfToken: string | null) {
    setBusy(true);
    setProblem(null);
    try {
      const api = createApi({ kind: "session", csrfToken, tenantId: null });
      const joined = bodyOf(await api.POST("/v1/invitations/accept", { body: { token } }));
      forgetInvitation();
      forget();
      storeTenant(joined.tenant.id);
      location.assign("/");
    } catch (found) {
      setProblem(found);
      setBusy(false);
    }
  }

  return (
    <Card title="You are invited">
      <p className={classes.lead}>
        {me === null ? "One moment…" : `You are signed in as ${me.name ?? me.email ?? me.subject}.`}
      </p>
      {problem !== null && <ProblemNotice problem={problem} what="The invitation was not accepted" />}
      <Button
        size="md"
        fullWidth
        loading={busy}
        disabled={me === null}
        onClick={() => void accept(me?.csrf_token ?? null)}
      >
        Accept the invitation
      </Button>
      <a className={classes.small} href={signInAddress()}>
        Sign in as somebody else
      </a>
    </Card>
  );
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={classes.screen}>
      <div className={classes.card}>
        <div className={classes.brand}>
          <Mark size={34} />
          <span>Ringfence</span>
        </div>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}
