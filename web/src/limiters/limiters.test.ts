import { expect, it } from "vitest";

import type { Shard } from "../api/types";
import { byRegion, functionName, placesText, shardState, waitsForRoom } from "./limiters";

const shard = (change: Partial<Shard>): Shard => ({
  function_arn: "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1",
  region: "us-east-1",
  capacity: 40,
  instances: 12,
  arriving: 0,
  leaving: 0,
  free: 28,
  state: "in_service",
  ...change,
});

it("a function is called full or drained only when it is", () => {
  expect(shardState(shard({})).label).toBe("In service");
  expect(shardState(shard({ free: 0 })).label).toBe("Full");
  expect(shardState(shard({ state: "draining" })).label).toBe("Draining");
  expect(shardState(shard({ state: "draining", instances: 0, leaving: 1 })).label).toBe("Draining");
  expect(shardState(shard({ state: "draining", instances: 0 })).label).toBe("Drained");
});

it("a region is short of places before it has none, whatever draining functions have", () => {
  const [first, second] = byRegion([
    shard({ free: 3 }),
    shard({ state: "draining", free: 30 }),
    shard({ region: "eu-west-2", free: 28 }),
  ]);
  expect(first).toMatchObject({ region: "us-east-1", free: 3, isShort: true });
  expect(second).toMatchObject({ region: "eu-west-2", free: 28, isShort: false });
});

it("tells the operator to add a function before the last place is taken", () => {
  const text = (free: number) => byRegion([shard({ free })]).map(placesText);
  expect(text(28)).toEqual(["28 places free"]);
  expect(text(1)).toEqual(["1 place free: add a function"]);
  expect(text(0)).toEqual(["No place free: add a function"]);
});

it("a draining function whose instances have nowhere to go says so", () => {
  const draining = shard({ state: "draining", free: 0 });
  const waits = (...others: Shard[]) => byRegion([draining, ...others]).map((region) => waitsForRoom(draining, region));
  expect(waits()).toEqual([true]);
  expect(waits(shard({ free: 0 }))).toEqual([true]);
  expect(waits(shard({ free: 1 }))).toEqual([false]);
  expect(byRegion([draining]).map((region) => waitsForRoom({ ...draining, instances: 0 }, region))).toEqual([false]);
});

it("a function is called by its name", () => {
  expect(functionName(shard({}).function_arn)).toBe("ringfence-limiter-1");
});
