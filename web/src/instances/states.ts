/** What an instance's states are called, coloured, and summed up as. */
import type { Condition, Drift, Installation, InstalledQueue, Instance } from "../api/types";
import { sentence } from "../text/sentence";
import type { Tone } from "../ui/Badge";

export interface State {
  tone: Tone;
  label: string;
  detail?: string;
}

export function connectionState(instance: Instance): State {
  if (instance.status === "pending_verification")
    return { tone: "caution", label: "Not verified", detail: "Deploy the roles, then verify" };
  const failed = instance.connection.checks.filter((check) => check.status === "failed").length;
  switch (instance.connection.health) {
    case "healthy":
      return { tone: "good", label: "Connected" };
    case "unhealthy":
      return {
        tone: "denied",
        label: "Unhealthy",
        detail: failed === 1 ? "1 check failed" : `${failed} checks failed`,
      };
    case "unknown":
      return { tone: "plain", label: "Not checked yet" };
  }
}

interface Look {
  tone: Tone;
  label: string;
}

const INSTALLATION: Record<string, Look> = {
  pending: { tone: "note", label: "Waiting" },
  installing: { tone: "note", label: "Installing" },
  installed: { tone: "good", label: "Installed" },
  blocked: { tone: "denied", label: "Blocked" },
  uninstalling: { tone: "note", label: "Removing" },
  uninstalled: { tone: "plain", label: "Not installed" },
};

export function installationState(installation: Installation | null): State {
  if (installation === null) return { tone: "plain", label: "Not installed" };
  const look = lookOf(INSTALLATION, installation.state);
  if (installation.state === "uninstalled") return look;
  if (look.tone === "note")
    return { ...look, detail: `${installation.progress.done} of ${installation.progress.total} steps` };
  const unmet = firstUnmet(installation.conditions);
  if (unmet === undefined) return { ...look, detail: allMet(installation.conditions.length) };
  return {
    tone: look.tone === "good" ? "caution" : look.tone,
    label: look.label,
    detail: sentence(unmet.message) || conditionLabel(unmet.type),
  };
}

/** How far it has come, in queues where there are any, and how long the rest takes. */
export function progressText(progress: Installation["progress"]): string {
  if (progress.looked != null && progress.to_look != null) {
    const minutes = Math.ceil((progress.seconds_left ?? 0) / 60);
    const left = minutes <= 1 ? "less than a minute left" : `about ${minutes} min left`;
    return `Looking at the instance: ${progress.looked} of ${progress.to_look} queues, ${left}`;
  }
  const done =
    progress.queues_total > 0 && progress.seconds_left !== null
      ? `${progress.done} of ${progress.total} steps, ${progress.queues_done} of ${progress.queues_total} queues done`
      : `${progress.done} of ${progress.total} steps done`;
  if (progress.seconds_left === null || progress.seconds_left === undefined) return done;
  const minutes = Math.ceil(progress.seconds_left / 60);
  return progress.seconds_left < 60 ? `${done}, less than a minute left` : `${done}, about ${minutes} min left`;
}

function allMet(conditions: number): string {
  return conditions === 0 ? "" : `All ${conditions} conditions met`;
}

/** Ready only sums up the others. */
function firstUnmet(conditions: Condition[]): Condition | undefined {
  const unmet = conditions.filter((condition) => condition.status !== "true");
  return (
    unmet.find((condition) => condition.status === "false" && condition.type !== "Ready") ??
    unmet.find((condition) => condition.type !== "Ready") ??
    unmet[0]
  );
}

export function policyState({ policy }: Instance): State {
  const { version, in_force_version: inForce } = policy;
  if (policy.source === "none" || version == null) return { tone: "plain", label: "No limits" };
  const detail = policy.source === "own" ? "Its own policy" : "The tenant’s default";
  if (inForce == null) return { tone: "note", label: `Version ${version}`, detail: "Not in force yet" };
  if (inForce === version && policy.in_force_id === policy.id)
    return { tone: "good", label: `Version ${version} in force`, detail };
  if (policy.in_force_id !== policy.id) {
    return { tone: "caution", label: "Another policy in force", detail: `Version ${version} is on its way` };
  }
  return { tone: "caution", label: `Version ${inForce} in force`, detail: `Version ${version} is on its way` };
}

const CONDITIONS: Record<string, string> = {
  ShardAssigned: "Limiter assigned",
  PermissionGranted: "Permission granted",
  ConnectionHealthy: "Roles in order",
  FlowsInstalled: "Flows installed",
  QueuesAttached: "Queues attached",
  Ready: "Ready: calls are limited",
};

/** A condition of a newer version keeps its own name, as words. */
export function conditionLabel(type: string): string {
  return CONDITIONS[type] ?? words(type);
}

export function conditionTone(status: Condition["status"]): Tone {
  return status === "true" ? "good" : status === "false" ? "denied" : "plain";
}

const QUEUES: Record<string, Look> = {
  attached: { tone: "good", label: "Limited" },
  pending: { tone: "note", label: "Pending" },
  refused: { tone: "caution", label: "Refused" },
  restored: { tone: "plain", label: "Restored" },
  left_alone: { tone: "caution", label: "Left alone" },
};

export function queueState(queue: InstalledQueue): Look {
  return lookOf(QUEUES, queue.state);
}

/** Something that somebody else changed: is it put right, on its way to be, or left as it is. */
export function driftState(drift: Drift): Look {
  if (drift.ended_at != null) return { tone: "good", label: "Put right" };
  return drift.mended ? { tone: "note", label: "Being put right" } : { tone: "caution", label: "Open" };
}

const STEPS: Record<string, Look> = {
  done: { tone: "good", label: "Done" },
  failed: { tone: "denied", label: "Failed" },
  pending: { tone: "plain", label: "To do" },
};

export function stepState(step: Installation["steps"][number]): Look {
  return lookOf(STEPS, step.status);
}

/** A state of a newer version is shown under its own name, without a verdict. */
function lookOf(looks: Record<string, Look>, state: string): Look {
  return (Object.hasOwn(looks, state) ? looks[state] : undefined) ?? { tone: "plain", label: words(state) };
}

/** `attach_queue` and `AttachQueue` as "Attach queue". */
export function words(name: string): string {
  const spaced = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/[_-]+/g, " ")
    .toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
