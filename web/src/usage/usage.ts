/** What a tenant used and may have: what is read, and how it is told. */
import { queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { Quota, Usage, UsageMonth } from "../api/types";
import { isOutcome, lookOf } from "../decisions/outcomes";
import type { Tone } from "../ui/Badge";

const MONTHS = 12;
/** From this share on a quota is worth a word. */
const NEARLY = 0.8;

export function usageQuery(api: Api) {
  return queryOptions({
    queryKey: ["usage"],
    queryFn: async ({ signal }): Promise<Usage> =>
      bodyOf(await api.GET("/v1/usage", { params: { query: { months: MONTHS } }, signal })),
  });
}

export function quotasQuery(api: Api) {
  return queryOptions({
    queryKey: ["quotas"],
    queryFn: async ({ signal }): Promise<Quota[]> => bodyOf(await api.GET("/v1/quotas", { signal })).data,
  });
}

export const QUOTA_NAMES: Record<Quota["quota"], string> = {
  instances: "Instances",
  api_keys: "API keys",
  webhooks: "Webhooks",
  listed_numbers: "Blocked and exempt numbers",
  decisions_per_month: "Decisions this month",
};

/** How much of a quota is taken, from 0 to 1; `null` where there is no limit. */
export function share(quota: Quota): number | null {
  if (quota.limit == null) return null;
  return quota.limit === 0 ? 1 : Math.min(1, quota.used / quota.limit);
}

export function quotaState(quota: Quota): { tone: Tone; text: string } | null {
  if (quota.limit == null) return null;
  if (quota.used > quota.limit) return { tone: "caution", text: "Exceeded" };
  if (quota.used === quota.limit) return { tone: "caution", text: "Used up" };
  return (share(quota) ?? 0) >= NEARLY ? { tone: "note", text: "Nearly used up" } : null;
}

/** "November 2026", of "2026-11". */
export function monthText(month: string): string {
  return new Intl.DateTimeFormat("en-GB", { year: "numeric", month: "long", timeZone: "UTC" }).format(
    Date.parse(`${month}-01T00:00:00Z`),
  );
}

/** "11,800 allowed, 200 denied": the commonest first. */
export function outcomesText(month: UsageMonth): string {
  return Object.entries(month.by_outcome)
    .toSorted(([, one], [, other]) => other - one)
    .map(([outcome, count]) => {
      const word = isOutcome(outcome) ? lookOf(outcome).label.toLowerCase() : outcome;
      return `${count.toLocaleString("en")} ${word}`;
    })
    .join(", ");
}
