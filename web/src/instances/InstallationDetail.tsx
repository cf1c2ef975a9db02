import { Button, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { installationQuery, isMoving } from "../api/queries";
import type { Condition, Installation, InstalledQueue, Instance } from "../api/types";
import { useSession } from "../session/session";
import { sentence } from "../text/sentence";
import { Badge } from "../ui/Badge";
import { ProblemNotice } from "../ui/Notice";
import { Section } from "../ui/Page";
import { Time } from "../ui/Time";
import { DriftList } from "./DriftList";
import { InstallForm } from "./InstallForm";
import classes from "./Lists.module.css";
import { LookNow } from "./LookNow";
import { Steps } from "./Steps";
import { mayInstall } from "./installing";
import { conditionLabel, conditionTone, progressText, queueState } from "./states";

export function InstallationDetail({ instance }: { instance: Instance }) {
  const { api, me } = useSession();
  const [isChanging, setChanging] = useState(false);
  const mayChange = mayInstall(me) && instance.status === "verified";
  const isNew = instance.status !== "verified" && instance.installation_state === "uninstalled";
  const installation = useQuery({ ...installationQuery(api, instance.id), enabled: !isNew });
  if (isNew) return <NotInstalled instance={instance} />;
  if (installation.data === undefined) {
    return (
      <Section title="Installation">
        {installation.isError ? (
          <ProblemNotice
            problem={installation.error}
            what="The installation could not be read"
            onRetry={() => void installation.refetch()}
          />
        ) : (
          <Skeleton height={240} radius={8} />
        )}
      </Section>
    );
  }
  if (installation.data === null) return <NotInstalled instance={instance} />;
  return (
    <>
      <Section
        title="Installation"
        aside={
          <span className={classes.action}>
            {installation.data.state !== "uninstalled" && <LookNow instanceId={instance.id} />}
            {mayChange && !isChanging && (
              <Button variant="default" size="xs" onClick={() => setChanging(true)}>
                {installation.data.desired == null ? "Install again" : "Change"}
              </Button>
            )}
          </span>
        }
      >
        <div className={classes.group}>
          {isChanging && (
            <InstallForm instance={instance} installation={installation.data} onClose={() => setChanging(false)} />
          )}
          {isMoving(installation.data) && <Progress installation={installation.data} />}
          {installation.data.conditions.length > 0 && (
            <ul className={classes.list}>
              {installation.data.conditions.map((condition) => (
                <ConditionRow key={condition.type} condition={condition} />
              ))}
            </ul>
          )}
          <Steps installation={installation.data} />
        </div>
      </Section>
      <DriftList installation={installation.data} />
      <Queues installation={installation.data} />
    </>
  );
}

function NotInstalled({ instance }: { instance: Instance }) {
  const { me } = useSession();
  return (
    <Section title="Installation">
      {instance.status === "verified" ? (
        <div className={classes.group}>
          <p className={classes.none}>Nothing is installed, so no call is limited.</p>
          {mayInstall(me) ? (
            <InstallForm instance={instance} installation={null} />
          ) : (
            <p className={classes.none}>Ask an editor of this tenant to install.</p>
          )}
        </div>
      ) : (
        <p className={classes.none}>Comes after verification. Until then no call is limited.</p>
      )}
    </Section>
  );
}

function Progress({ installation: { progress } }: { installation: Installation }) {
  // A look at the queues comes first, and tells which steps there are.
  const [done, total] =
    progress.looked != null && progress.to_look != null
      ? [progress.looked, progress.to_look]
      : [progress.done, progress.total];
  const share = total === 0 ? 0 : (done / total) * 100;
  const text = progressText(progress);
  return (
    <div>
      <div
        className={classes.bar}
        role="progressbar"
        aria-label="Installation"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
      >
        <div style={{ width: `${share}%` }} />
      </div>
      <p className={classes.small}>{text}</p>
    </div>
  );
}

function ConditionRow({ condition }: { condition: Condition }) {
  return (
    <li>
      <div className={classes.head}>
        <span className={classes.name}>{conditionLabel(condition.type)}</span>
        <Badge tone={conditionTone(condition.status)} quiet>
          {condition.status === "true" ? "Yes" : condition.status === "false" ? "No" : "Not known"}
        </Badge>
      </div>
      <div className={classes.head}>
        <p>{sentence(condition.message)}</p>
        <p className={classes.since}>
          since <Time at={condition.last_transition_at} />
        </p>
      </div>
    </li>
  );
}

function Queues({ installation: { queues, desired } }: { installation: Installation }) {
  if (queues.length === 0) return null;
  const limited = queues.filter((queue) => queue.state === "attached").length;
  return (
    <Section title="Queues" aside={<span className={classes.aside}>{`${limited} of ${queues.length} limited`}</span>}>
      <ul className={classes.list}>
        {queues.map((queue) => (
          <QueueRow key={queue.queue_id} queue={queue} replaced={desired?.existing_whisper === "replace"} />
        ))}
      </ul>
    </Section>
  );
}

function QueueRow({ queue, replaced }: { queue: InstalledQueue; replaced: boolean }) {
  const { tone, label } = queueState(queue);
  return (
    <li>
      <div className={classes.head}>
        <span className={classes.name}>{queue.name || queue.queue_id}</span>
        <Badge tone={tone} quiet>
          {label}
        </Badge>
      </div>
      {queue.detail != null && queue.detail !== "" && <p>{sentence(queue.detail)}</p>}
      {queue.state === "attached" && queue.previous_flow_id != null && (
        <p>
          {replaced
            ? "Its former whisper is off until Ringfence is removed."
            : "Its former whisper still plays after the check."}
        </p>
      )}
    </li>
  );
}
