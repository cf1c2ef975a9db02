/** One number, looked up: what is read of it, what can be asked for, and what came of that in words. */
import { queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { NumberErasure, NumberReset, NumberStanding, StandingRule } from "../api/types";
import { whole } from "../api/whole";

const WATCHED_EVERY_MS = 3_000;
/** As many instances as one answer holds. */
const INSTANCES_AT_ONCE = 20;

export function standingQuery(api: Api, number: string) {
  return queryOptions({
    queryKey: ["standing", number],
    queryFn: async ({ signal }): Promise<NumberStanding> => {
      const path = { number };
      let last: NumberStanding | undefined;
      const data = await whole(async (query) => {
        const params = { path, query: { ...query, limit: INSTANCES_AT_ONCE } };
        last = bodyOf(await api.GET("/v1/numbers/{number}", { params, signal }));
        return last;
      });
      return { number, listed: last?.listed ?? null, data };
    },
  });
}

export function erasureQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: ["number-erasure", id],
    queryFn: async ({ signal }): Promise<NumberErasure> =>
      bodyOf(await api.GET("/v1/number-erasures/{id}", { params: { path: { id } }, signal })),
    refetchInterval: (query) => (query.state.data?.state === "erased" ? false : WATCHED_EVERY_MS),
  });
}

export async function resetNumber(api: Api, number: string, reason: string): Promise<NumberReset> {
  return bodyOf(await api.POST("/v1/numbers/{number}/reset", { params: { path: { number } }, body: { reason } }));
}

export async function eraseNumber(api: Api, number: string, unlist: boolean): Promise<NumberErasure> {
  const query = unlist ? { listing: "remove" as const } : {};
  return bodyOf(await api.DELETE("/v1/numbers/{number}", { params: { path: { number }, query } }));
}

/** What was typed, as the API's addresses have it; `null` while it is no whole number. */
export function wholeNumber(typed: string): string | null {
  const digits = typed.replaceAll(/\D/g, "");
  return digits.length >= 7 && digits.length <= 15 ? `+${digits}` : null;
}

export function isSameNumber(typed: string, number: string): boolean {
  return wholeNumber(typed) === number;
}

export function ruleText(rule: StandingRule): string {
  if (!rule.applied) return "Counted per something else as well";
  const left = rule.remaining ?? 0;
  return `${rule.count} of ${rule.limit} counted, ${left === 0 ? "none" : left} left`;
}

type Names = ReadonlyMap<string, string>;
type AtInstance = NumberReset["data"][number];

const PROBLEMS: Record<NonNullable<AtInstance["problem"]>, string> = {
  aws_unavailable: "its region did not answer. Try again",
  too_many_combinations: "the number was called in too many ways; the latest 1,000 begin anew",
};

/** What a reset did, and every place where it did not, in sentences. */
export function resetTexts(reset: NumberReset, names: Names): string[] {
  const nameOf = (at: AtInstance) => names.get(at.instance_id) ?? at.instance_id;
  const done = reset.data.filter((at) => at.reset).length;
  const first = reset.complete
    ? "Done. The next call to this number is the first."
    : `Done at ${done} of ${reset.data.length} instances.`;
  const failed = reset.data.flatMap((at) => (at.problem == null ? [] : `${nameOf(at)}: ${PROBLEMS[at.problem]}.`));
  const left = reset.data
    .filter((at) => at.rules_not_reset.length > 0)
    .map(
      (at) =>
        `${nameOf(at)}: ${at.rules_not_reset.join(", ")} could not be reset, as contact attributes are not on record.`,
    );
  return [first, ...failed, ...left];
}

const KEPT: Record<NumberErasure["kept"][number], string> = {
  audit_log: "What the audit log says about listing it, if it was ever listed.",
  listing: "Its entry in the list.",
  removed_listing: "That it was taken off its list, for 40 days.",
  caller_id_meters: "What is counted for it as a caller ID, until it expires.",
  attribute_meters: "What rules per contact attribute counted for it, until it expires.",
};

export function keptTexts(erasure: NumberErasure): string[] {
  return erasure.kept.map((kept) => KEPT[kept]);
}

export function erasureText(erasure: NumberErasure): string {
  const calls = `${erasure.decisions.toLocaleString("en")} ${erasure.decisions === 1 ? "decision" : "decisions"}`;
  if (erasure.state === "erased") return `Erased, out of ${calls}.`;
  if (erasure.problem != null) return `Out of ${calls} so far. AWS does not answer; it is tried again.`;
  return `Being erased, out of ${calls} so far. It takes a minute at least, until calls under way are over.`;
}
