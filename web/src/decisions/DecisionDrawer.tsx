/** One decision in full: what was decided, by which counts, and what was done about it. */
import { Drawer, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef } from "react";

import { decisionQuery } from "../api/queries";
import type { Decision } from "../api/types";
import { useSession } from "../session/session";
import { resourceOf } from "../text/arn";
import { localTime, utcTime } from "../text/time";
import { Badge } from "../ui/Badge";
import { Copy } from "../ui/Copy";
import { ProblemNotice } from "../ui/Notice";
import { useMinute } from "../ui/now";
import { Actions } from "./Actions";
import classes from "./DecisionDrawer.module.css";
import { explanation, lookOf } from "./outcomes";
import { PhoneNumber, RevealSwitch } from "./PhoneNumber";
import { RuleList } from "./RuleList";

interface Props {
  id: string | undefined;
  nameOf: (instanceId: string) => string;
}

export function DecisionDrawer({ id, nameOf }: Props) {
  const navigate = useNavigate({ from: "/decisions" });
  const last = useRef(id);
  if (id !== undefined) last.current = id;
  const close = () => void navigate({ search: ({ decision: _, ...rest }) => rest, resetScroll: false });
  return (
    <Drawer.Root
      opened={id !== undefined}
      onClose={close}
      position="right"
      size="30rem"
      classNames={{ content: classes.content ?? "" }}
    >
      <Drawer.Overlay color="#04120f" backgroundOpacity={0.45} />
      <Drawer.Content>
        {/* Drawer.Header would be a second banner of the page. */}
        <div className={classes.header}>
          <Drawer.Title className={classes.title ?? ""}>Decision</Drawer.Title>
          <Drawer.CloseButton aria-label="Close" />
        </div>
        {last.current !== undefined && <Body id={last.current} nameOf={nameOf} />}
      </Drawer.Content>
    </Drawer.Root>
  );
}

function Body({ id, nameOf }: { id: string; nameOf: (instanceId: string) => string }) {
  const { api } = useSession();
  const decision = useQuery(decisionQuery(api, id));
  if (decision.isError)
    return (
      <ProblemNotice
        problem={decision.error}
        what="This decision could not be read"
        onRetry={() => void decision.refetch()}
      />
    );
  if (decision.data === undefined) {
    return (
      <div className={classes.body} aria-busy="true">
        <Skeleton height={26} width="35%" />
        <Skeleton height={44} />
        <Skeleton height={120} />
        <Skeleton height={220} />
      </div>
    );
  }
  const { label, tone } = lookOf(decision.data.outcome);
  return (
    <div className={classes.body}>
      <div className={classes.summary}>
        <Badge tone={tone}>{label}</Badge>
        <p className={classes.sentence}>{explanation(decision.data)}</p>
        {decision.data.unavailable != null && <p className={classes.detail}>{decision.data.unavailable}</p>}
      </div>
      <RuleList decision={decision.data} />
      <Actions decision={decision.data} />
      <Facts decision={decision.data} instance={nameOf(decision.data.instance_id)} />
    </div>
  );
}

function Facts({ decision, instance }: { decision: Decision; instance: string }) {
  const now = useMinute();
  return (
    <section aria-labelledby="decision-facts">
      <div className={classes.factsHead}>
        <h3 id="decision-facts">The call</h3>
        <RevealSwitch />
      </div>
      <dl className={classes.facts}>
        <Fact name="Time">
          <span className={classes.stack}>
            <span className="figures">{localTime(decision.at, now)}</span>
            <span className={classes.detail}>{utcTime(decision.at)}</span>
          </span>
        </Fact>
        <Fact name="Customer">
          <span className={classes.stack}>
            <PhoneNumber number={decision.customer_number} />
            {decision.customer_number_valid === false && (
              <span className={classes.detail}>Not a phone number; counted as dialled</span>
            )}
          </span>
        </Fact>
        <Fact name="Caller id">
          <PhoneNumber number={decision.caller_id} />
        </Fact>
        <Fact name="Instance">{instance || decision.instance_id}</Fact>
        <Id name="Agent" value={decision.agent_arn} />
        <Id name="Queue" value={decision.queue_arn} />
        <Id name="Contact" value={decision.contact_id} />
        <Fact name="Policy">Version {decision.policy_version}</Fact>
        <Fact name="Decided in">
          <span className="figures">{decision.decided_in_ms} ms</span>
        </Fact>
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Id({ name, value }: { name: string; value: string | null | undefined }) {
  if (value == null) return null;
  return (
    <Fact name={name}>
      <span className={`mono ${classes.id}`}>{resourceOf(value)}</span>
      <Copy value={value} what={name.toLowerCase()} />
    </Fact>
  );
}
