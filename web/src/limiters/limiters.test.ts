import { expect, it } from "vitest";

import type { Shard } from "../api/types";
import { byRegion, functionName, shardState } from "./limiters";

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

it("a function is called by its name", () => {
  expect(functionName(shard({}).function_arn)).toBe("ringfence-limiter-1");
});
