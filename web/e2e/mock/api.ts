/** Answers the requests the dashboard makes, out of the fixtures, with the API's own errors. */
import type { Decision, Instance } from "../../src/api/types.ts";
import { apiKeys, tokenIssuers } from "./access.ts";
import { coverage, queues } from "./coverage.ts";
import { decision, decisionCount, EMPTY_KEY, installation, instances, me, policy } from "./fixtures.ts";
import { erasures, lookUp } from "./lookUp.ts";
import { members } from "./members.ts";
import { numbers, type Sent } from "./numbers.ts";
import { quotas, usage } from "./usage.ts";
import { webhooks } from "./webhooks.ts";

export interface MockAnswer {
  status: number;
  body: unknown;
}

export const ok = (body: unknown): MockAnswer => ({ status: 200, body });

export function problem(status: number, code: string, detail: string, errors: object[] = []): MockAnswer {
  return {
    status,
    body: {
      type: `/docs/errors/${code}`,
      title: code,
      status,
      detail,
      code,
      request_id: "req_019a0000000000000000000000000042",
      errors,
    },
  };
}

export function answer(url: URL, authorization: string | undefined, now: number, sent: Sent): MockAnswer {
  if (url.pathname === "/v1/sign-in-options") return ok({ identity_provider: false, signed_in: false });
  const key = authorization?.replace(/^Bearer /, "") ?? "";
  const who = me(key);
  if (who === undefined) return problem(401, "unauthenticated", "The bearer token is not valid.");
  if (url.pathname === "/v1/me") return ok(who);

  const mine = key === EMPTY_KEY ? [] : instances(now);
  const [, , first, ...rest] = url.pathname.split("/");
  if (first === "webhooks") return key === EMPTY_KEY ? ok({ data: [], next_cursor: null }) : webhooks(rest, sent);
  if (first === "api-keys") return apiKeys(rest, sent);
  if (first === "token-issuers") return tokenIssuers(rest, sent);
  if (first === "numbers") return lookUp(rest, sent, mine);
  if (first === "number-erasures") return erasures();
  if (first === "usage") return usage(key === EMPTY_KEY, now);
  if (first === "quotas") return quotas();
  if (first === "instances" && rest[1] === "coverage" && rest[2] === "refresh")
    return { status: 202, body: coverage() };
  const [, resource, id, sub] = /^\/v1\/([a-z]+)(?:\/([^/]+))?(?:\/([a-z]+))?$/.exec(url.pathname) ?? [];
  if (resource === "instances" && id === undefined && sent.method === "POST") return register(sent, mine);
  if (resource === "instances" && id === undefined) return ok({ data: mine, next_cursor: null });
  if (resource === "blocks" || resource === "exemptions")
    return key === EMPTY_KEY ? ok({ data: [], next_cursor: null }) : numbers(resource, id, url.searchParams, sent);
  if (resource === "members" || resource === "invitations") return members(resource, key === EMPTY_KEY, id, sent);
  if (resource === "policies" && id === "default") return ok(policy());
  if (resource === "instances") {
    const found = mine.find((instance) => instance.id === id);
    if (found === undefined) return notFound();
    if (sub === undefined) return sent.method === "DELETE" ? { status: 204, body: undefined } : ok(found);
    if (sub === "policy") return ok(policy());
    if (sub === "queues") return ok(queues());
    if (sub === "verify") return problem(422, "verification_failed", "1 check failed");
    if (sub === "coverage") return ok(coverage());
    const installed = installation(found.id, now);
    return installed === undefined ? notFound() : ok(installed);
  }
  if (resource === "decisions" && id === undefined)
    return ok(key === EMPTY_KEY ? { data: [], next_cursor: null } : decisions(url.searchParams, now));
  if (resource === "decisions") return one(id ?? "", now);
  return notFound();
}

/** The one that is not verified yet. */
function register(sent: Sent, mine: Instance[]): MockAnswer {
  const { instance_arn: arn } = JSON.parse(sent.text) as { instance_arn: string };
  if (!arn.startsWith("arn:")) {
    const detail = "must look like arn:aws:connect:REGION:ACCOUNT:instance/ID";
    return problem(422, "validation_failed", "one field is wrong", [{ pointer: "/instance_arn", detail }]);
  }
  return { status: 201, body: mine.find(({ status }) => status === "pending_verification") };
}

export function notFound(): MockAnswer {
  return problem(404, "not_found", "There is no such thing.");
}

function one(id: string, now: number): MockAnswer {
  for (let number = decisionCount(now); number > 0; number--) {
    const made = decision(number);
    if (made.id === id) return ok(made);
  }
  return notFound();
}

function decisions(query: URLSearchParams, now: number): { data: Decision[]; next_cursor: string | null } {
  const limit = Number(query.get("limit") ?? 50);
  const data: Decision[] = [];
  let number = Number(query.get("cursor") ?? decisionCount(now) + 1) - 1;
  for (; number > 0 && data.length < limit; number--) {
    const made = decision(number);
    const matches =
      matchesField(query.get("outcome"), made.outcome) && matchesField(query.get("instance_id"), made.instance_id);
    if (matches) data.push(made);
  }
  return { data, next_cursor: number > 0 ? String(number + 1) : null };
}

function matchesField(wanted: string | null, value: string): boolean {
  return wanted === null || wanted === value;
}
