/** For a person of several tenants, or of none, and for an operator. */
import { Button, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { bodyOf } from "../api/client";
import { Mark } from "../ui/Mark";
import { ProblemNotice } from "../ui/Notice";
import type { Session } from "./session";
import classes from "./SignIn.module.css";

interface Props {
  session: Session;
  onChoose: (tenantId: string) => void;
}

export function ChooseTenant({ session, onChoose }: Props) {
  const { api, me, signOut } = session;
  const isOperator = me.role === "operator";
  const all = useQuery({
    queryKey: ["tenants"],
    enabled: isOperator,
    queryFn: async ({ signal }) => bodyOf(await api.GET("/v1/tenants", { params: { query: { limit: 100 } }, signal })),
  });
  const tenants = isOperator
    ? (all.data?.data ?? []).map(({ id, name }) => ({ id, name, role: "operator" }))
    : me.memberships.map(({ tenant, role }) => ({ ...tenant, role }));
  const isMemberOfNone = !isOperator && tenants.length === 0;
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
          <h1>{isMemberOfNone ? "You belong to no tenant yet" : "Choose a tenant"}</h1>
          <p className={classes.lead}>
            {isMemberOfNone
              ? "Ask an owner or admin of your tenant for an invitation, and open its link in this browser."
              : "You see one tenant at a time, and can switch at any time."}
          </p>
        </div>
        {all.isError && <ProblemNotice problem={all.error} what="The tenants could not be read" />}
        {!isMemberOfNone && (
          <ul className={classes.tenants} aria-label="Tenants">
            {tenants.map((tenant) => (
              <li key={tenant.id}>
                <UnstyledButton className={classes.tenant} onClick={() => onChoose(tenant.id)}>
                  <span>{tenant.name}</span>
                  <span className={classes.small}>{tenant.role}</span>
                </UnstyledButton>
              </li>
            ))}
          </ul>
        )}
        <p className={classes.small}>Signed in as {me.name ?? me.email ?? me.subject}</p>
        <Button variant="default" onClick={() => void signOut()}>
          Sign out
        </Button>
      </div>
    </main>
  );
}
