/** What the limiter never sees of an instance, in words. */
import { queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { Coverage } from "../api/types";
import { ago } from "../text/time";

const READING_MS = 3000;
const KEPT_MS = 60_000;

/** Kept by a worker; while it reads, what it has found so far. */
export function coverageQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: ["coverage", id],
    queryFn: async ({ signal }): Promise<Coverage> =>
      bodyOf(await api.GET("/v1/instances/{id}/coverage", { params: { path: { id } }, signal })),
    refetchInterval: (query) => (query.state.data?.state === "reading" ? READING_MS : KEPT_MS),
  });
}

export function summary({ state, computed_at: computed, queues, missing_permissions: missing }: Coverage): string {
  if (computed == null) return state === "reading" ? "Being read" : "Not read yet";
  const limited = queues.filter((queue) => queue.covered).length;
  if (missing.length > 0) return "Not every queue could be found";
  if (queues.length === 0) return "No agent can dial from any queue";
  return `${limited} of ${queues.length} limited`;
}

export function dialledBy(queue: Coverage["queues"][number]): string {
  const names = queue.dialled_by.map((by) =>
    by.default_outbound ? `${by.routing_profile_name} (by default)` : by.routing_profile_name,
  );
  return names.join(", ");
}

/** How far the worker is with routing profiles and queues, or when it was done. */
export function standing({ state, progress, problem, computed_at: computed }: Coverage, now: number): string {
  const lastly = problem == null ? "" : ` The last try was given up: ${problem}.`;
  if (state === "not_read") return `The routing profiles of this instance were never read.${lastly}`;
  if (state === "read") return computed == null ? "" : `Routing profiles read ${ago(computed, now)}.${lastly}`;
  if (problem != null) return `Routing profiles cannot be read for the moment: ${problem}.`;
  if (progress == null) return "The routing profiles are about to be read.";
  const minutes = Math.ceil(progress.seconds_left / 60);
  const left = minutes <= 1 ? "less than a minute left" : `about ${minutes} min left`;
  return `Reading routing profiles: ${progress.done} of ${progress.total}, ${left}.`;
}

const WAYS: Record<string, string> = {
  external_transfers: "Transfers to outside numbers",
  transfer_blocks: "Transfer blocks in flows",
  api_calls: "Calls placed by API",
  queued_callbacks: "Queued callbacks",
  campaigns: "Outbound campaigns",
  emergency_numbers: "Emergency numbers",
  prefix_filter: "Numbers outside the prefix filter",
  limiter_unavailable: "While the limiter gives no answer",
};

/** A way of a newer version keeps its own name. */
export function wayName(kind: string): string {
  return (Object.hasOwn(WAYS, kind) ? WAYS[kind] : undefined) ?? kind.replaceAll("_", " ");
}
