import type { Installation } from "../api/types";
import { Badge, type Tone } from "../ui/Badge";
import classes from "./Lists.module.css";
import { words } from "./states";

type Step = Installation["steps"][number];

const LOOKS: Record<Step["status"], { tone: Tone; label: string }> = {
  done: { tone: "good", label: "Done" },
  failed: { tone: "denied", label: "Failed" },
  pending: { tone: "plain", label: "To do" },
};

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
              <Badge tone={LOOKS[step.status].tone} quiet>
                {LOOKS[step.status].label}
              </Badge>
            </div>
            {step.status === "failed" && step.detail != null && <p>{step.detail}</p>}
          </li>
        ))}
      </ol>
    </details>
  );
}
