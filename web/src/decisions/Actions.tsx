/** What Ringfence did about a denied call: ended it, and told the agent why. */
import type { Decision } from "../api/types";
import { Badge, type Tone } from "../ui/Badge";
import classes from "./Actions.module.css";

type Look = [tone: Tone, label: string, meaning: string];

const STOPS: Record<Exclude<NonNullable<Decision["stop"]>, "not_needed">, Look> = {
  stopped: ["good", "Stopped", "The call was ended before it reached the customer."],
  already_ended: ["plain", "Already ended", "The call was over before it could be ended."],
  failed: ["fault", "Not stopped", "The call could not be ended and may have reached the customer."],
};

const NOTICES: Record<Exclude<NonNullable<Decision["notice"]>, "not_needed">, Look> = {
  sent: ["good", "Sent", "The agent got a task that says why and when to try again."],
  failed: ["fault", "Failed", "The agent was not told."],
  no_agent: ["plain", "No agent", "The call named no agent, so nobody was told."],
  no_flow: ["caution", "No notice flow", "The notice flow is not installed, so the agent was not told."],
  deferred: ["caution", "Deferred", "The task could not be made in time; it is made as soon as Connect takes it."],
  queue_full: ["caution", "Queue full", "The agent’s queue had no place for the task."],
  no_task_channel: ["caution", "No task channel", "The agent takes no tasks, so nobody saw the notice."],
  expired: ["caution", "Expired", "The task could not be made while it would have been of use."],
};

export function Actions({ decision }: { decision: Decision }) {
  const stop = decision.stop ?? "not_needed";
  const notice = decision.notice ?? "not_needed";
  if (stop === "not_needed" && notice === "not_needed") return null;
  return (
    <section aria-labelledby="decision-actions">
      <h3 id="decision-actions">What was done</h3>
      <ul className={classes.actions}>
        {stop !== "not_needed" && <Action name="Call" look={STOPS[stop]} error={decision.stop_error} />}
        {notice !== "not_needed" && (
          <Action name="Agent’s notice" look={NOTICES[notice]} error={decision.notice_error} />
        )}
      </ul>
    </section>
  );
}

function Action({
  name,
  look: [tone, label, meaning],
  error,
}: {
  name: string;
  look: Look;
  error: string | null | undefined;
}) {
  return (
    <li>
      <div className={classes.head}>
        <span>{name}</span>
        <Badge tone={tone}>{label}</Badge>
      </div>
      <p>{meaning}</p>
      {error != null && <p className={`mono ${classes.error}`}>{error}</p>}
    </li>
  );
}
