import type { Installation } from "../api/types";
import { sentence } from "../text/sentence";
import { Badge } from "../ui/Badge";
import classes from "./Lists.module.css";
import { stepState, words } from "./states";

/** Open while there is something to watch or to mend. */
export function Steps({ installation: { steps } }: { installation: Installation }) {
  if (steps.length === 0) return null;
  const done = steps.filter((step) => step.status === "done").length;
  return (
    <details className={classes.steps} open={done < steps.length}>
      <summary>{`${done} of ${steps.length} steps done`}</summary>
      <ol className={classes.list}>
        {steps.map((step) => (
          <li key={`${step.name} ${step.target}`}>
            <div className={classes.head}>
              <span className={classes.name}>
                {words(step.name)} <span className={classes.small}>{step.target}</span>
              </span>
              <Badge tone={stepState(step).tone} quiet>
                {stepState(step).label}
              </Badge>
            </div>
            {step.status === "failed" && step.detail != null && <p>{sentence(step.detail)}</p>}
          </li>
        ))}
      </ol>
    </details>
  );
}
