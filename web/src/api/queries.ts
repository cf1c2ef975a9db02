/** What the screens read, with how often it is read again. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "./client";
import { ApiProblem } from "./problem";
import type { Installation, Instance, PolicyResource } from "./types";
import { whole } from "./whole";

const INSTANCES_EVERY_MS = 10_000;
const WATCHED_EVERY_MS = 3_000;

export function instancesQuery(api: Api) {
  return queryOptions({
    queryKey: ["instances"],
    refetchInterval: INSTANCES_EVERY_MS,
    queryFn: ({ signal }): Promise<Instance[]> =>
      whole(async (query) => bodyOf(await api.GET("/v1/instances", { params: { query }, signal }))),
  });
}

export function instanceQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: ["instance", id],
    refetchInterval: INSTANCES_EVERY_MS,
    queryFn: async ({ signal }) => bodyOf(await api.GET("/v1/instances/{id}", { params: { path: { id } }, signal })),
  });
}

/** `null` where nothing was ever asked to be installed. */
export function installationQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: ["installation", id],
    queryFn: async ({ signal }): Promise<Installation | null> =>
      orNull(async () =>
        bodyOf(await api.GET("/v1/instances/{id}/installation", { params: { path: { id } }, signal })),
      ),
    refetchInterval: (query) => (isMoving(query.state.data) ? WATCHED_EVERY_MS : INSTANCES_EVERY_MS),
  });
}

/** Few, so that the first are there soon. */
const QUEUES_AT_ONCE = 20;

/** As Amazon Connect tells them now, a queue a second. */
export function queuesQuery(api: Api, id: string) {
  return infiniteQueryOptions({
    queryKey: ["queues", id],
    staleTime: 60_000,
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) => {
      const query = { limit: QUEUES_AT_ONCE, ...(pageParam === null ? {} : { cursor: pageParam }) };
      return bodyOf(await api.GET("/v1/instances/{id}/queues", { params: { path: { id }, query }, signal }));
    },
    getNextPageParam: (last) => last.next_cursor ?? null,
  });
}

/** The policy an instance is under, be it its own or the tenant's default. */
export function policyQuery(api: Api, instance: Instance) {
  const { id, policy } = instance;
  return queryOptions({
    queryKey: ["policy", id, policy.source, policy.version],
    queryFn: async ({ signal }): Promise<PolicyResource | null> =>
      orNull(async () => bodyOf(await api.GET("/v1/instances/{id}/policy", { params: { path: { id } }, signal }))),
  });
}

export function decisionQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: ["decision", id],
    queryFn: async ({ signal }) => bodyOf(await api.GET("/v1/decisions/{id}", { params: { path: { id } }, signal })),
  });
}

export function isMoving(installation: Installation | null | undefined): boolean {
  return installation != null && ["pending", "installing", "uninstalling"].includes(installation.state);
}

async function orNull<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (problem) {
    if (problem instanceof ApiProblem && problem.status === 404) return null;
    throw problem;
  }
}
