/** Blocks that speak to the person: something failed, or there is nothing yet. Both say what to do next. */
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import { ApiProblem, whatToDo } from "../api/problem";
import { Copy } from "./Copy";
import { Icon } from "./Icon";
import classes from "./Notice.module.css";

interface ProblemProps {
  problem: unknown;
  /** What was being done: "The instances could not be read". */
  what: string;
  onRetry?: () => void;
}

export function ProblemNotice({ problem, what, onRetry }: ProblemProps) {
  const known =
    problem instanceof ApiProblem
      ? problem
      : new ApiProblem({ detail: "The dashboard met an answer it does not understand." });
  return (
    <div className={classes.problem} role="alert">
      <Icon name="warning" size={20} />
      <div className={classes.text}>
        <p className={classes.what}>{what}</p>
        <p>
          {known.message} {whatToDo(known)}
        </p>
        {known.requestId !== undefined && (
          <p className={classes.request}>
            Request <span className="mono">{known.requestId}</span> <Copy value={known.requestId} what="request id" />
          </p>
        )}
      </div>
      {onRetry !== undefined && (
        <Button variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

interface EmptyProps {
  title: string;
  children: ReactNode;
}

export function Empty({ title, children }: EmptyProps) {
  return (
    <div className={classes.empty}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
