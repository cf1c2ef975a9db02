/** What stands against one number at each instance, and what can be done about it. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { instancesQuery } from "../api/queries";
import type { NumberStanding, StandingRule } from "../api/types";
import { PhoneNumber } from "../decisions/PhoneNumber";
import { mayManage } from "../session/roles";
import { useSession } from "../session/session";
import { localTime } from "../text/time";
import { Badge } from "../ui/Badge";
import { ProblemNotice } from "../ui/Notice";
import { useMinute } from "../ui/now";
import { Buttons, Panel, PanelText } from "../ui/Panel";
import { Ring } from "../ui/Ring";
import { EraseNumber } from "./EraseNumber";
import { mayEdit } from "./lists";
import classes from "./LookUp.module.css";
import { ruleText, standingQuery } from "./standing";
import { ResetNumber } from "./ResetNumber";

interface Props {
  number: string;
  onClose: () => void;
}

type Doing = "reset" | "erase" | null;

export function LookUp({ number, onClose }: Props) {
  const { api, me } = useSession();
  const [doing, setDoing] = useState<Doing>(null);
  const standing = useQuery(standingQuery(api, number));
  const instances = useQuery(instancesQuery(api));
  const names = new Map((instances.data ?? []).map(({ id, name }) => [id, name]));
  const changed = () => void standing.refetch();
  return (
    <>
      <Panel title="Looked up">
        <p className={classes.number}>
          <PhoneNumber number={number} /> {standing.data !== undefined && <Listed standing={standing.data} />}
        </p>
        {standing.isError && (
          <ProblemNotice
            problem={standing.error}
            what="The number could not be looked up"
            onRetry={() => void standing.refetch()}
          />
        )}
        {standing.isPending && <PanelText>Asking every instance…</PanelText>}
        {standing.data !== undefined && <Standing standing={standing.data} names={names} />}
        <Buttons>
          {mayEdit(me) && (
            <Button variant="default" onClick={() => setDoing("reset")}>
              Reset…
            </Button>
          )}
          {mayManage(me) && (
            <Button variant="default" onClick={() => setDoing("erase")}>
              Erase…
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        </Buttons>
      </Panel>
      {doing === "reset" && (
        <ResetNumber number={number} names={names} onReset={changed} onClose={() => setDoing(null)} />
      )}
      {doing === "erase" && (
        <EraseNumber
          number={number}
          isListed={standing.data?.listed != null}
          onErased={changed}
          onClose={() => setDoing(null)}
        />
      )}
    </>
  );
}

function Listed({ standing }: { standing: NumberStanding }) {
  if (standing.listed === "block") return <Badge tone="denied">Blocked</Badge>;
  if (standing.listed === "exemption") return <Badge tone="note">Exempt</Badge>;
  return null;
}

function Standing({ standing, names }: { standing: NumberStanding; names: ReadonlyMap<string, string> }) {
  if (standing.data.length === 0) return <PanelText>There is no instance yet.</PanelText>;
  return (
    <ul className={classes.instances} aria-label="Instances">
      {standing.data.map((at) => (
        <li key={at.instance_id}>
          <h3>{names.get(at.instance_id) ?? at.instance_id}</h3>
          {at.problem != null ? (
            <p className={classes.soft}>
              {at.problem === "aws_unavailable"
                ? "Its region does not answer."
                : "Nothing is known before it is verified."}
            </p>
          ) : (
            <Rules rules={at.rules ?? []} />
          )}
        </li>
      ))}
    </ul>
  );
}

function Rules({ rules }: { rules: StandingRule[] }) {
  const now = useMinute();
  if (rules.length === 0) return <p className={classes.soft}>No rule limits calls here.</p>;
  return (
    <ul className={classes.rules}>
      {rules.map((rule) => (
        <li key={rule.rule_id}>
          <Ring
            used={rule.applied ? rule.count : null}
            limit={rule.limit}
            tone={!rule.denied ? "plain" : rule.mode === "shadow" ? "caution" : "denied"}
            size={36}
          />
          <div>
            <p>{rule.name}</p>
            <p className={classes.soft}>
              {ruleText(rule)}
              {rule.retry_at != null && `, next call at ${localTime(rule.retry_at, now)}`}
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}
