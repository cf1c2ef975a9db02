/** What somebody else changed of an installation: what, since when, and what to do about it. */
import type { Drift, Installation } from "../api/types";
import { sentence } from "../text/sentence";
import { Badge } from "../ui/Badge";
import { Section } from "../ui/Page";
import { Time } from "../ui/Time";
import classes from "./Lists.module.css";
import { driftState } from "./states";

export function DriftList({ installation: { drift } }: { installation: Installation }) {
  if (drift.length === 0) return null;
  const open = drift.filter((one) => one.ended_at == null).length;
  return (
    <Section
      title="Changed by others"
      aside={<span className={classes.aside}>{open === 0 ? "All put right" : `${open} open`}</span>}
    >
      <ul className={classes.list}>
        {drift.map((one) => (
          <DriftRow key={`${one.kind} ${one.target}`} drift={one} />
        ))}
      </ul>
    </Section>
  );
}

function DriftRow({ drift }: { drift: Drift }) {
  const { tone, label } = driftState(drift);
  return (
    <li>
      <div className={classes.head}>
        <span className={classes.name}>{sentence(drift.message)}</span>
        <Badge tone={tone} quiet>
          {label}
        </Badge>
      </div>
      <div className={classes.head}>
        <p>{drift.advice}</p>
        <p className={classes.since}>
          {drift.ended_at == null ? (
            <>
              since <Time at={drift.since} />
            </>
          ) : (
            <>
              until <Time at={drift.ended_at} />
            </>
          )}
        </p>
      </div>
    </li>
  );
}
