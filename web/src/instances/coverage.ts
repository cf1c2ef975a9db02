/** What the limiter never sees of an instance, in words. */
import { queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { Coverage } from "../api/types";

/** Read from Amazon Connect at its pace, so only when somebody asks. */
export function coverageQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: ["coverage", id],
    enabled: false,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET("/v1/instances/{id}/coverage", { params: { path: { id } }, signal })),
  });
}

export function summary({ queues, missing_permissions: missing }: Coverage): string {
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
