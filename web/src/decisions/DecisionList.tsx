/** The rows: a table where there is room, cards where there is not. Each opens the full explanation. */
import { Skeleton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { memo } from "react";

import type { Decision } from "../api/types";
import { Badge } from "../ui/Badge";
import { Time } from "../ui/Time";
import { useIsNarrow } from "../ui/useIsNarrow";
import classes from "./DecisionList.module.css";
import { lookOf } from "./outcomes";
import { PhoneNumber } from "./PhoneNumber";
import { Why } from "./Why";

interface ListProps {
  rows: Decision[];
  fresh: ReadonlySet<string>;
  nameOf: (instanceId: string) => string;
}

interface RowProps {
  decision: Decision;
  fresh: boolean;
  instance: string;
}

export function DecisionList({ rows, fresh, nameOf }: ListProps) {
  const narrow = useIsNarrow();
  const props = rows.map((decision) => ({
    decision,
    fresh: fresh.has(decision.id),
    instance: nameOf(decision.instance_id),
  }));
  if (narrow) {
    return (
      <ul className={classes.cards} aria-label="Decisions">
        {props.map((row) => (
          <Card key={row.decision.id} {...row} />
        ))}
      </ul>
    );
  }
  return (
    <table className={classes.table} aria-label="Decisions">
      <Head />
      <tbody>
        {props.map((row) => (
          <Row key={row.decision.id} {...row} />
        ))}
      </tbody>
    </table>
  );
}

function Head() {
  return (
    <thead>
      <tr>
        <th scope="col" className={classes.time}>
          Time
        </th>
        <th scope="col" className={classes.outcome}>
          Outcome
        </th>
        <th scope="col" className={classes.number}>
          Customer
        </th>
        <th scope="col" className={classes.number}>
          Caller id
        </th>
        <th scope="col">Rule</th>
        <th scope="col" className={classes.instance}>
          Instance
        </th>
      </tr>
    </thead>
  );
}

const Row = memo(function Row({ decision, fresh, instance }: RowProps) {
  return (
    <tr data-fresh={fresh || undefined} data-outcome={decision.outcome}>
      <td>
        <Opener decision={decision} />
      </td>
      <td>
        <Outcome decision={decision} />
      </td>
      <td>
        <PhoneNumber number={decision.customer_number} />
      </td>
      <td className={classes.soft}>
        <PhoneNumber number={decision.caller_id} />
      </td>
      <td>
        <Why decision={decision} />
      </td>
      <td className={`${classes.soft} ${classes.cut}`}>{instance}</td>
    </tr>
  );
});

const Card = memo(function Card({ decision, fresh, instance }: RowProps) {
  return (
    <li data-fresh={fresh || undefined} data-outcome={decision.outcome}>
      <div className={classes.line}>
        <span className={classes.main}>
          <PhoneNumber number={decision.customer_number} />
        </span>
        <Outcome decision={decision} />
      </div>
      <Why decision={decision} />
      <div className={`${classes.line} ${classes.small}`}>
        <Opener decision={decision} />
        <span className={classes.cut}>{instance}</span>
      </div>
    </li>
  );
});

/** The one link of a row; its area is the whole row. */
function Opener({ decision }: { decision: Decision }) {
  return (
    <Link
      from="/decisions"
      to="."
      search={(before) => ({ ...before, decision: decision.id })}
      resetScroll={false}
      className={classes.opener}
    >
      <Time at={decision.at} />
      <span className="visually-hidden">, explain</span>
    </Link>
  );
}

function Outcome({ decision }: { decision: Decision }) {
  const { label, tone } = lookOf(decision.outcome);
  if (decision.stop === "failed") return <Badge tone="fault">{label}, not stopped</Badge>;
  return (
    <Badge tone={tone} quiet={tone === "plain"}>
      {label}
    </Badge>
  );
}

export function DecisionListSkeleton() {
  const narrow = useIsNarrow();
  const rows = Array.from({ length: 8 }, (_, row) => row);
  if (narrow) {
    return (
      <ul className={classes.cards} aria-hidden="true">
        {rows.map((row) => (
          <li key={row}>
            <Skeleton height={18} width="60%" my={4} />
            <Skeleton height={14} width="40%" my={6} />
          </li>
        ))}
      </ul>
    );
  }
  return (
    <table className={classes.table} aria-hidden="true">
      <Head />
      <tbody>
        {rows.map((row) => (
          <tr key={row}>
            {Array.from({ length: 6 }, (_, cell) => (
              <td key={cell}>
                <Skeleton height={14} width={cell === 4 ? "70%" : "80%"} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
