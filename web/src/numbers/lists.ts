/** The two lists in words, and what is read from and sent to each. */
import { infiniteQueryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { ImportedNumbers, ListedNumber, ListedNumberList, Me } from "../api/types";
import type { ListName } from "./search";

interface Words {
  label: string;
  meaning: string;
  add: string;
  none: string;
}

export const LISTS: Record<ListName, Words> = {
  blocks: {
    label: "Blocked",
    meaning: "Calls to these numbers are always denied. Emergency numbers go out all the same.",
    add: "Block a number",
    none: "No number is blocked",
  },
  exemptions: {
    label: "Exempt",
    meaning: "No rule denies calls to these numbers, and they are not counted.",
    add: "Exempt a number",
    none: "No number is exempt",
  },
};

const PAGE = 50;

export function numbersQuery(api: Api, list: ListName, number: string) {
  return infiniteQueryOptions({
    queryKey: ["numbers", list, number],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }): Promise<ListedNumberList> => {
      const query = {
        limit: PAGE,
        ...(number === "" ? {} : { number }),
        ...(pageParam === undefined ? {} : { cursor: pageParam }),
      };
      return bodyOf(await api.GET(`/v1/${list}`, { params: { query }, signal }));
    },
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

export interface NewNumber {
  number: string;
  reason: string;
  expires_at: string | null;
}

export async function addNumber(api: Api, list: ListName, body: NewNumber): Promise<ListedNumber> {
  return bodyOf(await api.POST(`/v1/${list}`, { body }));
}

export async function removeNumber(api: Api, list: ListName, id: string): Promise<void> {
  await api.DELETE(`/v1/${list}/{id}`, { params: { path: { id } } });
}

export async function importNumbers(api: Api, list: ListName, document: string): Promise<ImportedNumbers> {
  const answer = await api.POST(`/v1/${list}/import`, {
    body: document,
    bodySerializer: (body) => body,
    headers: { "Content-Type": "text/csv" },
  });
  return bodyOf(answer);
}

/** Viewers see the lists and no buttons that would be refused. */
export function mayEdit(me: Me): boolean {
  return me.role !== "viewer";
}

export function hasExpired(entry: ListedNumber, now: number): boolean {
  return entry.expires_at != null && Date.parse(entry.expires_at) <= now;
}

/** What the API took, in a sentence. */
export function importedText({ added, changed, unchanged }: ImportedNumbers): string {
  const parts = [
    [added, "added"],
    [changed, "changed"],
    [unchanged, "there already"],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count.toLocaleString("en")} ${what}`);
  return told.length === 0 ? "The file has no rows." : `${told.join(", ")}.`;
}
