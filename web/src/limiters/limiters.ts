/** Limiter functions in words, and what is read from and sent to the API about them. Operators only. */
import { queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { Me, Shard } from "../api/types";
import type { Tone } from "../ui/Badge";

const LOOK_EVERY_MS = 5_000;
/** A region with fewer places left needs another function soon. */
const FEW_PLACES = 5;

export function isOperator(me: Me): boolean {
  return me.role === "operator";
}

export function shardsQuery(api: Api) {
  return queryOptions({
    queryKey: ["shards"],
    queryFn: async ({ signal }) => bodyOf(await api.GET("/v1/shards", { signal })).data,
    refetchInterval: LOOK_EVERY_MS,
  });
}

export function movesQuery(api: Api) {
  return queryOptions({
    queryKey: ["shard-moves"],
    queryFn: async ({ signal }) => bodyOf(await api.GET("/v1/shard-moves", { signal })).data,
    refetchInterval: LOOK_EVERY_MS,
  });
}

export async function setDraining(api: Api, functionArn: string, draining: boolean): Promise<Shard> {
  return bodyOf(await api.PATCH("/v1/shards/{id}", { params: { path: { id: functionArn } }, body: { draining } }));
}

export function shardState(shard: Shard): { tone: Tone; label: string } {
  switch (shard.state) {
    case "in_service":
      return shard.free > 0 ? { tone: "good", label: "In service" } : { tone: "caution", label: "Full" };
    case "draining":
      return shard.instances + shard.leaving > 0
        ? { tone: "note", label: "Draining" }
        : { tone: "plain", label: "Drained" };
    default:
      return { tone: "plain", label: "Out of service" };
  }
}

export interface Region {
  region: string;
  shards: Shard[];
  free: number;
  isShort: boolean;
}

/** The regions in their order, each with its functions and whether it runs out of places. */
export function byRegion(shards: Shard[]): Region[] {
  const regions = [...new Set(shards.map((shard) => shard.region))];
  return regions.map((region) => {
    const here = shards.filter((shard) => shard.region === region);
    const taking = here.filter((shard) => shard.state === "in_service");
    const free = taking.reduce((sum, shard) => sum + shard.free, 0);
    return { region, shards: here, free, isShort: free < FEW_PLACES };
  });
}

export function placesText({ free, isShort }: Region): string {
  const places = free === 0 ? "No place free" : free === 1 ? "1 place free" : `${free} places free`;
  return isShort ? `${places}: add a function` : places;
}

/** Nothing in the region can take what a draining function still has. */
export function waitsForRoom(shard: Shard, { free }: Region): boolean {
  return shard.state === "draining" && shard.instances > 0 && free === 0;
}

/** `ringfence-limiter-1` */
export function functionName(arn: string): string {
  return arn.slice(arn.lastIndexOf(":") + 1);
}
