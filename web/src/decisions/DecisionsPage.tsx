import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";

import { instancesQuery } from "../api/queries";
import { useSession } from "../session/session";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Page } from "../ui/Page";
import { DecisionDrawer } from "./DecisionDrawer";
import { DecisionFilters } from "./DecisionFilters";
import { DecisionList, DecisionListSkeleton } from "./DecisionList";
import classes from "./DecisionsPage.module.css";
import { LiveSwitch } from "./LiveSwitch";
import { RevealProvider, RevealSwitch } from "./PhoneNumber";
import type { DecisionSearch } from "./search";
import { type LiveDecisions, useLiveDecisions } from "./useLiveDecisions";

export function DecisionsPage({ search }: { search: DecisionSearch }) {
  const { api } = useSession();
  const [paused, setPaused] = useState(false);
  const instances = useQuery(instancesQuery(api));
  const names = useMemo(
    () => new Map(instances.data?.map((instance) => [instance.id, instance.name])),
    [instances.data],
  );
  const nameOf = useCallback((id: string) => names.get(id) ?? "", [names]);
  const decisions = useLiveDecisions(search, paused);

  return (
    <Page
      title="Decisions"
      lead="Every outbound call that reached a limiter, newest first."
      actions={<LiveSwitch paused={paused} problem={decisions.problem} onChange={setPaused} />}
    >
      <RevealProvider>
        <div className={classes.bar}>
          <DecisionFilters search={search} instances={instances.data ?? []} />
          <RevealSwitch />
        </div>
        <Rows
          decisions={decisions}
          filtered={search.outcome !== undefined || search.instance !== undefined}
          nameOf={nameOf}
        />
        <DecisionDrawer id={search.decision} nameOf={nameOf} />
      </RevealProvider>
    </Page>
  );
}

interface RowsProps {
  decisions: LiveDecisions;
  filtered: boolean;
  nameOf: (id: string) => string;
}

function Rows({ decisions, filtered, nameOf }: RowsProps) {
  const { live, problem } = decisions;
  if (!live.started) {
    if (problem === null) return <DecisionListSkeleton />;
    return <ProblemNotice problem={problem} what="The decisions could not be read" onRetry={decisions.retry} />;
  }
  if (live.rows.length === 0) return <NoDecisions filtered={filtered} />;
  return (
    <>
      <DecisionList rows={live.rows} fresh={live.fresh} nameOf={nameOf} />
      {decisions.olderProblem !== null && (
        <ProblemNotice
          problem={decisions.olderProblem}
          what="Older decisions could not be read"
          onRetry={decisions.loadOlder}
        />
      )}
      {live.cursor !== null && (
        <Button
          variant="default"
          className={classes.older ?? ""}
          loading={decisions.olderIsLoading}
          onClick={decisions.loadOlder}
        >
          Show older
        </Button>
      )}
    </>
  );
}

function NoDecisions({ filtered }: { filtered: boolean }) {
  const navigate = useNavigate({ from: "/decisions" });
  if (filtered) {
    return (
      <Empty title="No decision matches these filters">
        <p>New ones appear here by themselves.</p>
        <div>
          <Button variant="default" onClick={() => void navigate({ search: {} })}>
            Clear the filters
          </Button>
        </div>
      </Empty>
    );
  }
  return (
    <Empty title="No calls yet">
      <p>
        The first outbound call from a queue with Ringfence’s whisper appears here within seconds. If agents are
        dialling and nothing comes, look whether <Link to="/instances">the instance</Link> is installed and its queues
        attached.
      </p>
    </Empty>
  );
}
