import { Button, PasswordInput } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";

import { bodyOf, createApi } from "../api/client";
import { ApiProblem, whatToDo } from "../api/problem";
import { Copy } from "../ui/Copy";
import { Mark } from "../ui/Mark";
import { signInAddress, signInFault, type SignInOptions } from "./options";
import classes from "./SignIn.module.css";

interface Props {
  /** What stopped being accepted while it was in use. */
  ended: "key" | "session" | null;
  options: SignInOptions;
  onSignIn: (key: string) => void;
}

const ENDED = {
  key: "You were signed out, because the key is no longer accepted. It was revoked or has expired.",
  session: "You were signed out. Sessions end after a time, and when you are removed from a tenant.",
};

interface Fault {
  text: string;
  requestId?: string | undefined;
}

export function SignIn({ ended, options, onSignIn }: Props) {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const [returned] = useState(signInFault);
  const told = returned ?? (ended === null ? null : ENDED[ended]);
  const input = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = "Sign in · Ringfence";
  }, []);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const found = await faultOf(key.trim());
    setBusy(false);
    if (found === null) return onSignIn(key.trim());
    setFault(found);
    input.current?.focus();
  }

  return (
    <main className={classes.screen}>
      <form className={classes.card} onSubmit={(event) => void submit(event)} noValidate>
        <div className={classes.brand}>
          <Mark size={34} />
          <span>Ringfence</span>
        </div>
        <div>
          <h1>Sign in</h1>
          <p className={classes.lead}>
            {options.identity_provider
              ? "With your organisation's account, or with an API key of your tenant."
              : "With an API key of your tenant. An owner or admin can make one."}
          </p>
        </div>
        {told !== null && fault === null && (
          <p className={classes.ended} role="status">
            {told}
          </p>
        )}
        {options.identity_provider && (
          <>
            <Button component="a" href={signInAddress()} size="md" fullWidth>
              Sign in with your account
            </Button>
            <p className={classes.or}>or</p>
          </>
        )}
        <PasswordInput
          ref={input}
          label="API key"
          name="api-key"
          placeholder="rf_live_…"
          autoComplete="off"
          spellCheck={false}
          autoFocus={!options.identity_provider}
          value={key}
          onChange={(event) => {
            setKey(event.currentTarget.value);
            setFault(null);
          }}
          visibilityToggleButtonProps={{ "aria-label": "Show the key" }}
          error={fault?.text}
          aria-invalid={fault !== null}
        />
        {fault?.requestId !== undefined && (
          <p className={classes.request}>
            Request <span className={`mono ${classes.id}`}>{fault.requestId}</span>{" "}
            <Copy value={fault.requestId} what="request id" />
          </p>
        )}
        <Button
          type="submit"
          size="md"
          variant={options.identity_provider ? "default" : "filled"}
          loading={busy}
          fullWidth
        >
          {options.identity_provider ? "Sign in with the key" : "Sign in"}
        </Button>
        <p className={classes.small}>The key stays in this tab and is forgotten when you close it.</p>
      </form>
    </main>
  );
}

async function faultOf(key: string): Promise<Fault | null> {
  if (key === "") return { text: "Paste your API key. It begins with rf_live_." };
  // Header values cannot carry other characters, so no key has them.
  if (!/^[\x21-\x7e]+$/.test(key)) return { text: "This is not a key: keys have no spaces or accents. Copy it again." };
  try {
    const me = bodyOf(await createApi({ kind: "key", key }).GET("/v1/me"));
    if (me.tenant != null) return null;
    return {
      text: "This is an operator’s key: it is for programs. Operators sign in with their account, where that is set up; or use a key of the tenant you want to see.",
    };
  } catch (problem) {
    if (!(problem instanceof ApiProblem)) throw problem;
    const text = problem.status === 401 ? "This key is not accepted." : problem.message;
    return { text: `${text} ${whatToDo(problem)}`, requestId: problem.requestId };
  }
}
