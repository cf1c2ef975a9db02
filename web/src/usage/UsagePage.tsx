/** How many decisions the tenant had, and how much of what it may have is taken. */
import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import type { Quota, Usage, UsageMonth } from "../api/types";
import { useSession } from "../session/session";
import { Badge } from "../ui/Badge";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Page, Section } from "../ui/Page";
import { monthText, outcomesText, QUOTA_NAMES, quotasQuery, quotaState, share, usageQuery } from "./usage";
import classes from "./Usage.module.css";

export function UsagePage() {
  return (
    <Page title="Usage" lead="Decisions by month in UTC. Each attempt counts once, by how it ended.">
      <Quotas />
      <Months />
    </Page>
  );
}

function Quotas() {
  const { api } = useSession();
  const quotas = useQuery(quotasQuery(api));
  return (
    <Section title="Quotas">
      {quotas.isError && (
        <ProblemNotice
          problem={quotas.error}
          what="The quotas could not be read"
          onRetry={() => void quotas.refetch()}
        />
      )}
      {quotas.isPending && <Skeleton height={160} aria-hidden="true" />}
      {quotas.data !== undefined && (
        <ul className={classes.list} aria-label="Quotas">
          {quotas.data.map((quota) => (
            <QuotaRow key={quota.quota} quota={quota} />
          ))}
        </ul>
      )}
      <p className={classes.small}>
        Whoever runs Ringfence can raise a quota. Calls go on being limited when a month has more decisions than its
        quota.
      </p>
    </Section>
  );
}

function QuotaRow({ quota }: { quota: Quota }) {
  const taken = share(quota);
  const state = quotaState(quota);
  const limit = quota.limit == null ? "no limit" : `of ${quota.limit.toLocaleString("en")}`;
  return (
    <li className={classes.row}>
      <span>{QUOTA_NAMES[quota.quota]}</span>
      <span className={classes.figure}>
        {state !== null && <Badge tone={state.tone}>{state.text}</Badge>}
        <span className="figures">
          {quota.used.toLocaleString("en")} <span className={classes.small}>{limit}</span>
        </span>
      </span>
      {taken !== null && <Bar share={taken} isFull={state?.tone === "caution"} />}
    </li>
  );
}

function Months() {
  const { api } = useSession();
  const usage = useQuery(usageQuery(api));
  if (usage.isError) {
    return (
      <ProblemNotice problem={usage.error} what="The usage could not be read" onRetry={() => void usage.refetch()} />
    );
  }
  if (usage.data === undefined) return <Skeleton height={200} aria-hidden="true" />;
  return (
    <Section title="Decisions">
      <MonthList usage={usage.data} />
    </Section>
  );
}

function MonthList({ usage }: { usage: Usage }) {
  const most = Math.max(...usage.data.map((month) => month.decisions));
  if (most <= 0) {
    return (
      <Empty title="No decision yet">
        <p>They are counted from the first call that an instance of yours makes.</p>
      </Empty>
    );
  }
  return (
    <ul className={classes.list} aria-label="Months">
      {usage.data.map((month) => (
        <MonthRow key={month.month} month={month} most={most} />
      ))}
    </ul>
  );
}

function MonthRow({ month, most }: { month: UsageMonth; most: number }) {
  return (
    <li className={classes.row}>
      <span>{monthText(month.month)}</span>
      <span className={`${classes.figure} figures`}>{month.decisions.toLocaleString("en")}</span>
      <Bar share={month.decisions / most} />
      {month.decisions > 0 && <span className={classes.small}>{outcomesText(month)}</span>}
    </li>
  );
}

/** The figure beside it says the same. */
function Bar({ share: part, isFull = false }: { share: number; isFull?: boolean }) {
  return (
    <span className={classes.bar} aria-hidden="true">
      <span data-full={isFull || undefined} style={{ width: `${part * 100}%` }} />
    </span>
  );
}
