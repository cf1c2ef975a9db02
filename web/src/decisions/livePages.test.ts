import { describe, expect, it } from "vitest";

import { emptyLive, type Live, type LiveRow, type Page, withNewest, withOlder } from "./livePages";

interface Row extends LiveRow {
  outcome: string;
}

const START = Date.parse("2026-11-25T12:00:00Z");

function row(number: number, outcome = "allowed"): Row {
  return { id: `dec_${String(number).padStart(6, "0")}`, at: new Date(START + number * 1000).toISOString(), outcome };
}

/** A page from `from` down to `to`. */
function page(from: number, to: number, more = true): Page<Row> {
  const data = Array.from({ length: from - to + 1 }, (_, index) => row(from - index));
  return { data, next_cursor: more ? `below-${to}` : null };
}

function ids(live: Live<Row>): number[] {
  return live.rows.map((one) => Number(one.id.slice(4)));
}

describe("the newest page", () => {
  it("is shown at first without anything marked as new", () => {
    const live = withNewest(emptyLive<Row>(), page(10, 6));
    expect(ids(live)).toEqual([10, 9, 8, 7, 6]);
    expect(live.fresh.size).toBe(0);
    expect(live.cursor).toBe("below-6");
  });

  it("adds what is new on top, and marks only that", () => {
    const live = withNewest(withNewest(emptyLive<Row>(), page(10, 6)), page(12, 8));
    expect(ids(live)).toEqual([12, 11, 10, 9, 8, 7, 6]);
    expect([...live.fresh]).toEqual(["dec_000012", "dec_000011"]);
    expect(live.cursor).toBe("below-6");
  });

  it("replaces a decision by its later form, in its place", () => {
    const first = withNewest(emptyLive<Row>(), page(10, 6));
    const later: Page<Row> = { data: [row(10), row(9, "denied")], next_cursor: "below-9" };
    const live = withNewest(first, later);
    expect(ids(live)).toEqual([10, 9, 8, 7, 6]);
    expect(live.rows[1]?.outcome).toBe("denied");
    expect(live.fresh.size).toBe(0);
  });

  it("puts a late arrival where it belongs", () => {
    const gap: Page<Row> = { data: [row(10), row(8), row(7)], next_cursor: "below-7" };
    const live = withNewest(withNewest(emptyLive<Row>(), gap), page(10, 7));
    expect(ids(live)).toEqual([10, 9, 8, 7]);
    expect([...live.fresh]).toEqual(["dec_000009"]);
  });

  it("starts the list anew rather than leave a gap in it", () => {
    const live = withNewest(withNewest(emptyLive<Row>(), page(10, 6)), page(30, 26));
    expect(ids(live)).toEqual([30, 29, 28, 27, 26]);
    expect(live.cursor).toBe("below-26");
  });

  it("is the whole list when nothing is below it", () => {
    const live = withNewest(withNewest(emptyLive<Row>(), page(3, 1, false)), page(4, 2, false));
    expect(ids(live)).toEqual([4, 3, 2]);
    expect(live.cursor).toBeNull();
  });

  it("goes on from an empty list", () => {
    const none = withNewest(emptyLive<Row>(), { data: [], next_cursor: null });
    expect(none.started).toBe(true);
    expect([...withNewest(none, page(1, 1, false)).fresh]).toEqual(["dec_000001"]);
  });
});

describe("older pages", () => {
  it("go on below, and survive newer ones", () => {
    const two = withOlder(withNewest(emptyLive<Row>(), page(10, 6)), page(5, 1, false));
    expect(ids(two)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    const live = withNewest(two, page(11, 7));
    expect(ids(live)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(live.cursor).toBeNull();
  });
});

describe("a long watch", () => {
  it("keeps the list short and cut where paging can go on without a gap", () => {
    let live = withNewest(emptyLive<Row>(), page(50, 1));
    for (let newest = 60; newest <= 5000; newest += 10) live = withNewest(live, page(newest, newest - 49));
    expect(live.rows.length).toBeGreaterThanOrEqual(500);
    expect(live.rows.length).toBeLessThan(600);
    const last = ids(live).at(-1) ?? 0;
    expect(live.cursor).toBe(`below-${last}`);
    expect(ids(live)).toEqual(Array.from({ length: 5000 - last + 1 }, (_, index) => 5000 - index));
  });

  it("never takes away what the viewer asked to see", () => {
    let live = withNewest(emptyLive<Row>(), page(2000, 1951));
    for (let from = 1950; from > 0; from -= 50) live = withOlder(live, page(from, from - 49, from > 50));
    live = withNewest(live, page(2001, 1952));
    expect(live.rows.length).toBe(2001);
  });
});
