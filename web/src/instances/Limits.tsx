import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { policyQuery } from "../api/queries";
import type { Instance } from "../api/types";
import { useSession } from "../session/session";
import { Badge } from "../ui/Badge";
import { CopyBlock } from "../ui/Copy";
import { ProblemNotice } from "../ui/Notice";
import { Section } from "../ui/Page";
import { policyCommand } from "./commands";
import classes from "./Lists.module.css";
import { policyState } from "./states";

export function Limits({ instance }: { instance: Instance }) {
  const state = policyState(instance);
  return (
    <Section title="Limits" aside={state.detail !== undefined && <span className={classes.aside}>{state.detail}</span>}>
      <div className={classes.group}>
        <Sentences instance={instance} />
      </div>
    </Section>
  );
}

function Sentences({ instance }: { instance: Instance }) {
  const { api } = useSession();
  const policy = useQuery(policyQuery(api, instance));
  const state = policyState(instance);
  if (policy.isError)
    return (
      <ProblemNotice problem={policy.error} what="The policy could not be read" onRetry={() => void policy.refetch()} />
    );
  if (policy.data === undefined) return <Skeleton height={96} radius={8} />;
  if (policy.data === null || policy.data.sentences.length === 0) return <NoLimits />;
  return (
    <>
      <ul className={classes.list}>
        {policy.data.sentences.map((sentence) => (
          <li key={sentence.rule_id}>
            <p className={classes.sentence}>{sentence.text}</p>
            <p className={`mono ${classes.small}`}>{sentence.rule_id}</p>
          </li>
        ))}
      </ul>
      <div>
        <Badge tone={state.tone}>{state.label}</Badge>
      </div>
    </>
  );
}

function NoLimits() {
  return (
    <>
      <p className={classes.none}>
        No rule, so every call is allowed. This sets a default for all instances, in shadow mode: it reports and denies
        nothing.
      </p>
      <CopyBlock what="command" value={policyCommand(window.location.origin)} />
    </>
  );
}
