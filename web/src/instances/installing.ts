/** What is asked of an installation: as the form holds it, as the API takes it. */
import { type Api, bodyOf } from "../api/client";
import type { Installation, InstallationWish, Me } from "../api/types";

export interface Draft {
  every: boolean;
  queues: string[];
  existingWhisper: "refuse" | "merge" | "replace";
  drift: "mend" | "report";
  prefixes: string[];
  unavailable: "allow" | "deny";
}

export function mayInstall({ role }: Me): boolean {
  return role !== "viewer";
}

/** What is asked now, or what we would suggest. */
export function draftOf(installation: Installation | null): Draft {
  const desired = installation?.desired ?? null;
  return {
    every: desired === null || desired.queues === "all",
    queues: Array.isArray(desired?.queues) ? desired.queues : [],
    existingWhisper: desired?.existing_whisper ?? "merge",
    drift: desired?.drift ?? "mend",
    prefixes: desired?.prefix_filter ?? [],
    unavailable: desired?.on_limiter_unavailable ?? "allow",
  };
}

export function wishOf(draft: Draft): InstallationWish {
  return {
    queues: draft.every ? "all" : draft.queues,
    existing_whisper: draft.existingWhisper,
    drift: draft.drift,
    prefix_filter: draft.prefixes.length === 0 ? null : draft.prefixes,
    on_limiter_unavailable: draft.unavailable,
  };
}

/** Refused with 412 where somebody else has asked for something since `installation` was read. */
export async function install(api: Api, id: string, installation: Installation | null, draft: Draft) {
  return bodyOf(
    await api.PUT("/v1/instances/{id}/installation", {
      params: { path: { id }, header: { "If-Match": `"${installation?.generation ?? 0}"` } },
      body: wishOf(draft),
    }),
  );
}

/** What is wrong with a field, or with one of the items in it. */
export function faultOf(errors: { pointer: string; detail: string }[], field: string): string | null {
  const own = errors.filter(({ pointer }) => pointer === `/${field}` || pointer.startsWith(`/${field}/`));
  const told = own.map(({ pointer, detail }) => {
    const item = pointer.split("/")[2];
    return item === undefined ? detail : `number ${Number(item) + 1} ${detail}`;
  });
  if (told.length === 0) return null;
  const text = told.join("; ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
