/** The short reason in a row: the rule, how full its limit was, and when the number may be called again. */
import type { Decision } from "../api/types";
import { clockTime, duration, localTime } from "../text/time";
import { Ring } from "../ui/Ring";
import { useNow } from "../ui/now";
import { listLabel, ruleLabel, wasDenied } from "./outcomes";
import classes from "./Why.module.css";

const COUNTED_DOWN_BELOW_SECONDS = 3600;

export function Why({ decision }: { decision: Decision }) {
  const label = ruleLabel(decision);
  if (label === undefined)
    return <span className={classes.none}>{listLabel(decision) ?? decision.unavailable ?? ""}</span>;
  const record = decision.rules?.find((rule) => rule.rule_id === decision.rule_id);
  return (
    <span className={classes.why}>
      {record !== undefined && (
        <Ring
          used={record.count ?? null}
          limit={record.limit}
          tone={wasDenied(decision.outcome) ? "denied" : "caution"}
          size={26}
        />
      )}
      <span className={classes.text}>
        <span className={classes.rule} title={label}>
          {label}
        </span>
        {decision.retry_at != null && <Again at={decision.retry_at} />}
      </span>
    </span>
  );
}

/** Counts down where the viewer may be waiting for it. */
function Again({ at }: { at: string }) {
  const now = useNow();
  const seconds = (Date.parse(at) - now) / 1000;
  if (seconds <= 0) return <span className={`${classes.again} figures`}>Callable since {clockTime(at)}</span>;
  const when = seconds < COUNTED_DOWN_BELOW_SECONDS ? `in ${duration(seconds)}` : `at ${localTime(at, now)}`;
  return <span className={`${classes.again} figures`}>Next call {when}</span>;
}
