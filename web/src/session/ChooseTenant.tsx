/** For a person of several tenants, or of none, and for an operator. */
import { Button, Skeleton, TextInput, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { Mark } from "../ui/Mark";
import { ProblemNotice } from "../ui/Notice";
import { MakeTenant } from "./MakeTenant";
import type { Session } from "./session";
import classes from "./SignIn.module.css";
import { choosable, named, tenantsQuery } from "./tenants";

/** More than the eye takes in at once. */
const MANY = 8;

interface Props {
  session: Session;
  onChoose: (tenantId: string) => void;
}

export function ChooseTenant({ session, onChoose }: Props) {
  const { api, me, signOut } = session;
  const isOperator = me.role === "operator";
  const [wanted, setWanted] = useState("");
  const all = useQuery({ ...tenantsQuery(api), enabled: isOperator });
  const isKnown = !isOperator || all.data !== undefined;
  const tenants = choosable(me, all.data ?? []);
  const shown = named(tenants, wanted.trim());
  const { title, lead } = wordsFor(isOperator, isKnown && tenants.length === 0);
  useEffect(() => {
    document.title = "Tenants · Ringfence";
  }, []);
  return (
    <main className={classes.screen}>
      <div className={classes.card}>
        <div className={classes.brand}>
          <Mark size={34} />
          <span>Ringfence</span>
        </div>
        <div>
          <h1>{title}</h1>
          <p className={classes.lead}>{lead}</p>
        </div>
        {all.isError && (
          <ProblemNotice problem={all.error} what="The tenants could not be read" onRetry={() => void all.refetch()} />
        )}
        {!isKnown && !all.isError && <Skeleton height={140} aria-hidden="true" />}
        {tenants.length > MANY && (
          <TextInput
            aria-label="Find a tenant"
            placeholder="Find a tenant"
            autoComplete="off"
            autoFocus
            value={wanted}
            onChange={(event) => setWanted(event.currentTarget.value)}
          />
        )}
        {tenants.length > 0 && shown.length === 0 && (
          <p className={classes.small} role="status">
            No tenant is called that.
          </p>
        )}
        {shown.length > 0 && (
          <ul className={classes.tenants} aria-label="Tenants">
            {shown.map((tenant) => (
              <li key={tenant.id}>
                <UnstyledButton className={classes.tenant} onClick={() => onChoose(tenant.id)}>
                  <span>{tenant.name}</span>
                  <span className={classes.small}>{tenant.note}</span>
                </UnstyledButton>
              </li>
            ))}
          </ul>
        )}
        {isOperator && isKnown && <MakeTenant api={api} isFirst={tenants.length === 0} onMade={onChoose} />}
        <p className={classes.small}>
          Signed in as {me.name ?? me.email ?? me.subject}
          {isOperator && ", an operator"}
        </p>
        <Button variant="default" onClick={() => void signOut()}>
          Sign out
        </Button>
      </div>
    </main>
  );
}

function wordsFor(isOperator: boolean, isNone: boolean): { title: string; lead: string } {
  if (!isNone) return { title: "Choose a tenant", lead: "You see one tenant at a time, and can switch at any time." };
  return isOperator
    ? { title: "There is no tenant yet", lead: "Make the first one, then invite its owner on its page Members." }
    : {
        title: "You belong to no tenant yet",
        lead: "Ask an owner or admin of your tenant for an invitation, and open its link in this browser.",
      };
}
