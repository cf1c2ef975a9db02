/**
 * The rows on the screen, kept in step with pages read from the API.
 *
 * Newest first by time, then id, as the API orders them. A decision is shown once, in its latest form: a first record is
 * overwritten when the limiter has finished with the call. No gaps: when the newest page does not reach down to what is
 * known, what is known is dropped, and paging goes on from the newest page. The list does not grow for ever: it is cut
 * where a page ended, as only there a cursor says how to go on.
 */

export interface LiveRow {
  id: string;
  at: string;
}

export interface Page<Row> {
  data: Row[];
  next_cursor?: string | null;
}

export interface Live<Row> {
  rows: Row[];
  /** Goes on below the last row; `null` where nothing is below. */
  cursor: string | null;
  /** Rows that were not there before the last newest page. */
  fresh: ReadonlySet<string>;
  started: boolean;
  /** Cursors by the row they go on after. */
  ends: ReadonlyMap<string, string>;
  /** No fewer rows than this survive a cut; grows with what the viewer asked to see. */
  kept: number;
}

export const ROWS_KEPT_WHILE_LIVE = 500;

export function emptyLive<Row>(): Live<Row> {
  return { rows: [], cursor: null, fresh: new Set(), started: false, ends: new Map(), kept: ROWS_KEPT_WHILE_LIVE };
}

export function overlaps<Row extends LiveRow>(rows: Row[], page: Page<Row>): boolean {
  const known = new Set(rows.map((row) => row.id));
  return page.data.some((row) => known.has(row.id));
}

export function withNewest<Row extends LiveRow>(live: Live<Row>, page: Page<Row>): Live<Row> {
  const cursor = page.next_cursor ?? null;
  const known = new Set(live.rows.map((row) => row.id));
  const fresh = new Set(live.started ? page.data.filter((row) => !known.has(row.id)).map((row) => row.id) : []);

  // A page without a cursor is the whole list.
  const rest = cursor !== null && overlaps(live.rows, page);
  if (!rest) return { ...live, rows: page.data, cursor, fresh, started: true, ends: endsOf(page, new Map()) };

  return cut({ ...live, rows: merged(live.rows, page.data), fresh, ends: endsOf(page, live.ends) });
}

export function withOlder<Row extends LiveRow>(live: Live<Row>, page: Page<Row>): Live<Row> {
  const rows = merged(live.rows, page.data);
  const kept = Math.max(live.kept, rows.length);
  return { ...live, rows, kept, cursor: page.next_cursor ?? null, ends: endsOf(page, live.ends) };
}

function endsOf<Row extends LiveRow>(
  page: Page<Row>,
  before: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const last = page.data.at(-1);
  return last === undefined || page.next_cursor == null ? before : new Map(before).set(last.id, page.next_cursor);
}

function cut<Row extends LiveRow>(live: Live<Row>): Live<Row> {
  const end = live.rows.findIndex((row, index) => index + 1 >= live.kept && live.ends.has(row.id));
  if (end === -1 || end === live.rows.length - 1) return live;
  const rows = live.rows.slice(0, end + 1);
  const ends = new Map(rows.flatMap((row) => entryOf(live.ends, row.id)));
  return { ...live, rows, ends, cursor: rows.map((row) => live.ends.get(row.id)).at(-1) ?? live.cursor };
}

function entryOf(ends: ReadonlyMap<string, string>, id: string): [string, string][] {
  const cursor = ends.get(id);
  return cursor === undefined ? [] : [[id, cursor]];
}

function merged<Row extends LiveRow>(before: Row[], latest: Row[]): Row[] {
  const byId = new Map(before.map((row) => [row.id, row]));
  for (const row of latest) byId.set(row.id, row);
  return [...byId.values()].sort(newestFirst);
}

function newestFirst(one: LiveRow, other: LiveRow): number {
  const between = Date.parse(other.at) - Date.parse(one.at);
  if (between !== 0) return between;
  return one.id < other.id ? 1 : one.id > other.id ? -1 : 0;
}
