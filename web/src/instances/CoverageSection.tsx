/** Which queues agents can dial from without being limited, and the ways round that no whisper sees. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import type { Coverage, Instance } from "../api/types";
import { useSession } from "../session/session";
import { sentence } from "../text/sentence";
import { Badge } from "../ui/Badge";
import { ProblemNotice } from "../ui/Notice";
import { Section } from "../ui/Page";
import { coverageQuery, dialledBy, summary, wayName } from "./coverage";
import classes from "./Lists.module.css";

export function CoverageSection({ instance }: { instance: Instance }) {
  const { api } = useSession();
  const coverage = useQuery(coverageQuery(api, instance.id));
  if (instance.status !== "verified") return null;
  const look = () => void coverage.refetch();
  return (
    <Section
      title="Coverage"
      aside={coverage.data !== undefined && <span className={classes.aside}>{summary(coverage.data)}</span>}
    >
      <div className={classes.group}>
        {coverage.isError && !coverage.isFetching ? (
          <ProblemNotice problem={coverage.error} what="Coverage could not be read" onRetry={look} />
        ) : (
          <div className={classes.look}>
            <p className={classes.none}>
              {coverage.isFetching
                ? "Reading the routing profiles. Amazon Connect is asked once a second, so this can take a minute or two."
                : "The queues your agents can dial from, and the calls that no queue’s whisper sees."}
            </p>
            <Button variant="default" size="xs" loading={coverage.isFetching} onClick={look}>
              {coverage.data === undefined ? "Find gaps" : "Find gaps again"}
            </Button>
          </div>
        )}
        {coverage.data !== undefined && <Found coverage={coverage.data} />}
      </div>
    </Section>
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
