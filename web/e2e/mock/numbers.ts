/** The two lists of numbers: what they hold at first, and what is done to them while the mock runs. */
import type { ListedNumber } from "../../src/api/types.ts";
import { type MockAnswer, notFound, ok, problem } from "./api.ts";

export interface Sent {
  method: string;
  text: string;
}

type ListName = "blocks" | "exemptions";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const START = Date.now();
const REASONS = [
  "Asked not to be called",
  "Court order of 12 March; the file is with the legal team in Leeds",
  "Complaint",
];
const NOT_A_NUMBER = "must be a number in E.164, such as +12065550100";

let made = 0;

function entry(number: string, reason: string, at: number, expiresAt: string | null): ListedNumber {
  made += 1;
  return {
    id: `ent_019a${made.toString(16).padStart(28, "0")}`,
    number,
    reason,
    expires_at: expiresAt,
    created_at: new Date(at).toISOString(),
    created_by: "api_key:key_019a0000000000000000000000000001",
  };
}

const held: Record<ListName, ListedNumber[]> = {
  blocks: Array.from({ length: 9 }, (_, row) =>
    entry(
      `+1206555010${row}`,
      REASONS[row % REASONS.length] ?? "",
      START - (row + 1) * 2 * HOUR_MS,
      row % 3 === 2 ? new Date(START + (row - 4) * DAY_MS).toISOString() : null,
    ),
  ),
  exemptions: [entry("+12065550200", "Our own test line", START - DAY_MS, null)],
};

export function numbers(list: ListName, id: string | undefined, query: URLSearchParams, sent: Sent): MockAnswer {
  if (sent.method === "DELETE") {
    held[list] = held[list].filter((one) => one.id !== id);
    return { status: 204, body: undefined };
  }
  if (id === "import") return imported(list, sent.text);
  if (sent.method === "POST") return added(list, JSON.parse(sent.text) as Partial<ListedNumber>);
  if (id !== undefined) return notFound();
  const wanted = query.get("number")?.replaceAll(/\D/g, "");
  const found = held[list].filter((one) => wanted === undefined || one.number === `+${wanted}`);
  return ok({ data: found, next_cursor: null });
}

function added(list: ListName, body: Partial<ListedNumber>): MockAnswer {
  const number = read(body.number ?? "");
  if (number === undefined) return refused([{ pointer: "/number", code: "invalid", detail: NOT_A_NUMBER }]);
  if (held[list].some((one) => one.number === number))
    return problem(409, "number_listed", `the number is among the ${list}`);
  const one = entry(number, body.reason ?? "", Date.now(), body.expires_at ?? null);
  held[list].unshift(one);
  return { status: 201, body: one };
}

function imported(list: ListName, document: string): MockAnswer {
  const rows = document.trim().split("\n").slice(1);
  const split = rows.map((row) => row.split(","));
  const faults = split.flatMap(([number], row) =>
    read(number ?? "") === undefined
      ? [{ pointer: `/${row + 2}/number`, code: "invalid", detail: `line ${row + 2}: ${NOT_A_NUMBER}` }]
      : [],
  );
  if (faults.length > 0) return refused(faults);
  for (const [number, reason] of split) held[list].unshift(entry(number ?? "", reason ?? "", Date.now(), null));
  return ok({ added: rows.length, changed: 0, unchanged: 0 });
}

function read(text: string): string | undefined {
  return /^\+[\d ]{8,}$/.test(text) ? text.replaceAll(" ", "") : undefined;
}

function refused(faults: object[]): MockAnswer {
  return problem(422, "validation_failed", `${faults.length} fields are wrong`, faults);
}
