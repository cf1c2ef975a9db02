import type { Decision, RuleRecord } from "../api/types";
import { localTime } from "../text/time";
import { Badge } from "../ui/Badge";
import { Ring } from "../ui/Ring";
import { useMinute } from "../ui/now";
import classes from "./RuleList.module.css";

export function RuleList({ decision }: { decision: Decision }) {
  const rules = decision.rules ?? [];
  return (
    <section aria-labelledby="decision-rules">
      <h3 id="decision-rules">Rules</h3>
      {rules.length === 0 ? (
        <p className={classes.none}>No rule was asked.</p>
      ) : (
        <ul className={classes.rules}>
          {rules.map((rule) => (
            <Rule key={rule.rule_id} rule={rule} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Rule({ rule }: { rule: RuleRecord }) {
  const applied = rule.applied !== false;
  const shadow = rule.mode === "shadow";
  return (
    <li data-applied={applied || undefined}>
      <Ring
        used={applied ? (rule.count ?? null) : null}
        limit={rule.limit}
        tone={!rule.denied ? "plain" : shadow ? "caution" : "denied"}
        size={44}
      />
      <div className={classes.text}>
        <p className={classes.name}>
          {rule.name ?? rule.rule_id}
          {shadow && <Badge tone="caution">Shadow</Badge>}
        </p>
        <p className="figures">{countOf(rule)}</p>
        {rule.retry_at != null && <Next at={rule.retry_at} />}
      </div>
    </li>
  );
}

function countOf(rule: RuleRecord): string {
  if (rule.applied === false) return `Did not apply: ${rule.not_applied_because ?? "its conditions were not met"}`;
  if (rule.count == null) return `Within its limit of ${rule.limit}`;
  return `${rule.count} counted before this call, ${rule.limit} allowed`;
}

function Next({ at }: { at: string }) {
  const now = useMinute();
  return <p className={`${classes.next} figures`}>Next call allowed at {localTime(at, now)}</p>;
}
