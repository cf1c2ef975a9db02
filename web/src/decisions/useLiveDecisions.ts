/** The list of decisions under a filter, read again every two seconds unless paused. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { type Api, bodyOf } from "../api/client";
import type { Decision, DecisionList, Outcome } from "../api/types";
import { useSession } from "../session/session";
import { emptyLive, type Live, overlaps, withNewest, withOlder } from "./livePages";

const EVERY_MS = 2000;
const PAGE_ROWS = 50;
/** How far one reading goes down to meet what is known; beyond that the list starts anew. */
const PAGES_DOWN_MAX = 4;

export interface DecisionFilter {
  outcome?: Outcome | undefined;
  instance?: string | undefined;
}

export interface LiveDecisions {
  live: Live<Decision>;
  problem: Error | null;
  retry: () => void;
  olderIsLoading: boolean;
  olderProblem: Error | null;
  loadOlder: () => void;
}

export function useLiveDecisions(filter: DecisionFilter, paused: boolean): LiveDecisions {
  const { api } = useSession();
  const { live, setLive } = useLiveUnder(`${filter.outcome} ${filter.instance}`);
  const known = useRef<Decision[]>([]);
  known.current = live.rows;

  const newest = useQuery({
    queryKey: ["decisions", filter.outcome, filter.instance],
    queryFn: ({ signal }) => readNewest(api, filter, known.current, signal),
    refetchInterval: paused ? false : EVERY_MS,
    refetchOnWindowFocus: !paused,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const { data, error, refetch } = newest;
  useEffect(() => {
    if (data !== undefined) setLive((before) => withNewest(before, data));
  }, [data, setLive]);
  const wasPaused = useRef(paused);
  useEffect(() => {
    if (wasPaused.current && !paused) void refetch();
    wasPaused.current = paused;
  }, [paused, refetch]);

  const older = useOlder(api, filter, live.cursor, setLive);
  return { live, problem: error, retry: () => void refetch(), ...older };
}

type Change = (before: Live<Decision>) => Live<Decision>;

/** Rows read under one filter are never shown, nor added to, under another. */
function useLiveUnder(key: string) {
  const [held, setHeld] = useState({ key, live: emptyLive<Decision>() });
  const setLive = useCallback(
    (change: Change) =>
      setHeld((before) => ({ key, live: change(before.key === key ? before.live : emptyLive<Decision>()) })),
    [key],
  );
  return { live: useMemo(() => (held.key === key ? held.live : emptyLive<Decision>()), [held, key]), setLive };
}

function useOlder(api: Api, filter: DecisionFilter, cursor: string | null, setLive: (change: Change) => void) {
  const [olderIsLoading, setLoading] = useState(false);
  const [olderProblem, setProblem] = useState<Error | null>(null);
  const loadOlder = useCallback(async () => {
    if (cursor === null) return;
    setLoading(true);
    setProblem(null);
    try {
      const page = await readPage(api, filter, cursor);
      setLive((before) => withOlder(before, page));
    } catch (problem) {
      setProblem(problem as Error);
    } finally {
      setLoading(false);
    }
  }, [api, filter, cursor, setLive]);
  return { olderIsLoading, olderProblem, loadOlder: () => void loadOlder() };
}

async function readNewest(
  api: Api,
  filter: DecisionFilter,
  known: Decision[],
  signal: AbortSignal,
): Promise<DecisionList> {
  let page = await readPage(api, filter, undefined, signal);
  for (
    let pages = 1;
    pages < PAGES_DOWN_MAX && known.length > 0 && page.next_cursor != null && !overlaps(known, page);
    pages++
  ) {
    const below: DecisionList = await readPage(api, filter, page.next_cursor, signal);
    page = { ...below, data: [...page.data, ...below.data] };
  }
  return page;
}

async function readPage(
  api: Api,
  filter: DecisionFilter,
  cursor: string | undefined,
  signal?: AbortSignal,
): Promise<DecisionList> {
  const query = {
    limit: PAGE_ROWS,
    ...(filter.outcome === undefined ? {} : { outcome: filter.outcome }),
    ...(filter.instance === undefined ? {} : { instance_id: filter.instance }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  return bodyOf(await api.GET("/v1/decisions", { params: { query }, ...(signal === undefined ? {} : { signal }) }));
}
