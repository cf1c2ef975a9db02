/** Which queues agents can dial from without being limited, and the ways round that no whisper sees. */
import { Button, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import type { Coverage, Instance } from "../api/types";
import { useSession } from "../session/session";
import { sentence } from "../text/sentence";
import { Badge } from "../ui/Badge";
import { ProblemNotice } from "../ui/Notice";
import { Section } from "../ui/Page";
import { useMinute } from "../ui/now";
import { readProfilesNow } from "./actions";
import { coverageQuery, dialledBy, standing, summary, wayName } from "./coverage";
import { mayInstall } from "./installing";
import classes from "./Lists.module.css";

export function CoverageSection({ instance }: { instance: Instance }) {
  const { api } = useSession();
  const now = useMinute();
  const coverage = useQuery({ ...coverageQuery(api, instance.id), enabled: instance.status === "verified" });
  if (instance.status !== "verified") return null;
  return (
    <Section
      title="Coverage"
      aside={coverage.data !== undefined && <span className={classes.aside}>{summary(coverage.data)}</span>}
    >
      <div className={classes.group}>
        {coverage.data === undefined && coverage.isError && (
          <ProblemNotice
            problem={coverage.error}
            what="Coverage could not be read"
            onRetry={() => void coverage.refetch()}
          />
        )}
        {coverage.data === undefined && !coverage.isError && <Skeleton height={120} radius={8} />}
        {coverage.data !== undefined && (
          <>
            <div className={classes.look}>
              <p className={classes.none} role="status">
                {standing(coverage.data, now)}
              </p>
              <ReadProfilesNow instanceId={instance.id} isReading={coverage.data.state === "reading"} />
            </div>
            <Found coverage={coverage.data} />
          </>
        )}
      </div>
    </Section>
  );
}

/** Otherwise they are read once a day. */
function ReadProfilesNow({ instanceId, isReading }: { instanceId: string; isReading: boolean }) {
  const { api, me } = useSession();
  const queries = useQueryClient();
  const reading = useMutation({
    mutationFn: () => readProfilesNow(api, instanceId),
    onSuccess: (coverage) => queries.setQueryData(["coverage", instanceId], coverage),
  });
  if (!mayInstall(me)) return null;
  return (
    <span className={classes.action}>
      {reading.isError && (
        <span role="alert" className={classes.aside}>
          Not asked: {reading.error.message}
        </span>
      )}
      <Button variant="default" size="xs" loading={reading.isPending || isReading} onClick={() => reading.mutate()}>
        Find gaps
      </Button>
    </span>
  );
}

function Found({ coverage }: { coverage: Coverage }) {
  return (
    <>
      {coverage.missing_permissions.length > 0 && (
        <ul className={classes.list} aria-label="Missing permissions">
          {coverage.missing_permissions.map(({ permission, fix }) => (
            <li key={permission}>
              <div className={classes.head}>
                <span className="mono">{permission}</span>
                <Badge tone="denied" quiet>
                  Missing
                </Badge>
              </div>
              <p className={classes.fix}>{fix}</p>
            </li>
          ))}
        </ul>
      )}
      {coverage.queues.length > 0 && (
        <ul className={classes.list} aria-label="Queues that agents can dial from">
          {coverage.queues.map((queue) => (
            <li key={queue.queue_id}>
              <div className={classes.head}>
                <span className={classes.name}>{queue.name}</span>
                <Badge tone={queue.covered ? "good" : "denied"} quiet>
                  {queue.covered ? "Limited" : "Not limited"}
                </Badge>
              </div>
              <p>Dialled from by {dialledBy(queue)}.</p>
              {queue.reason != null && <p>{sentence(queue.reason)}.</p>}
              {queue.fix != null && <p className={classes.fix}>{queue.fix}</p>}
            </li>
          ))}
        </ul>
      )}
      <details className={classes.steps}>
        <summary>{coverage.ways_round.length} ways round that no whisper sees or stops</summary>
        <ul className={classes.list}>
          {coverage.ways_round.map((way) => (
            <li key={way.kind}>
              <span className={classes.name}>{wayName(way.kind)}</span>
              <p>{way.detail}</p>
              <p className={classes.fix}>{way.fix}</p>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}
