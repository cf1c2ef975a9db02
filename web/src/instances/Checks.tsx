import { Fragment } from "react";

import type { Check, Instance } from "../api/types";
import { sentence } from "../text/sentence";
import { Badge, type Tone } from "../ui/Badge";
import { Section } from "../ui/Page";
import { Time } from "../ui/Time";
import classes from "./Lists.module.css";
import { RotateExternalId } from "./RotateExternalId";
import { words } from "./states";

const LOOKS: Record<Check["status"], { tone: Tone; label: string }> = {
  passed: { tone: "good", label: "Passed" },
  failed: { tone: "denied", label: "Failed" },
  warning: { tone: "caution", label: "Warning" },
  skipped: { tone: "plain", label: "Skipped" },
};

export function Checks({ instance }: { instance: Instance }) {
  const { checks, checked_at: checkedAt } = instance.connection;
  return (
    <Section
      title="Connection"
      aside={
        checkedAt != null && (
          <span className={classes.aside}>
            Checked <Time at={checkedAt} />
          </span>
        )
      }
    >
      {checks.length === 0 ? (
        <p className={classes.none}>
          Nothing was checked yet. Each permission is listed here once the connection is verified.
        </p>
      ) : (
        <Results checks={checks} />
      )}
      <RotateExternalId instance={instance} />
    </Section>
  );
}

/** What has passed is told in a line; the rest is what there is to do. */
function Results({ checks }: { checks: Check[] }) {
  const passed = checks.filter(({ status }) => status === "passed");
  const others = checks.filter(({ status }) => status !== "passed");
  return (
    <div className={classes.group}>
      {others.length > 0 && <CheckList checks={others} />}
      {passed.length > 0 && (
        <details className={classes.steps}>
          <summary>
            {others.length === 0
              ? `All ${checks.length} checks passed`
              : `${passed.length} of ${checks.length} checks passed`}
          </summary>
          <CheckList checks={passed} />
        </details>
      )}
    </div>
  );
}

function CheckList({ checks }: { checks: Check[] }) {
  return (
    <ul className={classes.list}>
      {checks.map((check) => (
        <CheckRow key={check.name} check={check} />
      ))}
    </ul>
  );
}

/** Breaks, where it must, between its words. */
function Permission({ name }: { name: string }) {
  const parts = name.split(/(?<=[:a-z])(?=[A-Z])/);
  return (
    <span className="mono">
      {parts.map((part, index) => (
        <Fragment key={index}>
          {index > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </span>
  );
}

function CheckRow({ check }: { check: Check }) {
  const { tone, label } = LOOKS[check.status];
  return (
    <li>
      <div className={classes.head}>
        <span className={classes.name}>
          {check.name.includes(":") ? <Permission name={check.name} /> : words(check.name)}
        </span>
        <Badge tone={tone} quiet>
          {label}
        </Badge>
      </div>
      {check.fix != null && check.status === "failed" && <p className={classes.fix}>{sentence(check.fix)}</p>}
      {check.status !== "passed" && check.detail !== "" && <p>{sentence(check.detail)}</p>}
    </li>
  );
}
