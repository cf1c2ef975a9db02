/** API keys and token issuers, and what is done to them while the mock runs. */
import type { ApiKey, NewApiKey, NewTokenIssuer, TokenIssuer } from "../../src/api/types.ts";
import { type MockAnswer, notFound, ok, problem } from "./api.ts";
import type { Sent } from "./numbers.ts";

const DAY_MS = 86_400_000;
const START = Date.now();

let made = 0;

function id(prefix: string): string {
  made += 1;
  return `${prefix}_019a${made.toString(16).padStart(28, "0")}`;
}

const ago = (days: number) => new Date(START - days * DAY_MS).toISOString();

function key(name: string, role: ApiKey["role"], change: Partial<ApiKey> = {}): ApiKey {
  return {
    id: id("key"),
    name,
    role,
    scopes: null,
    prefix: `rf_live_${name.slice(0, 4).toLowerCase()}`,
    previous_until: null,
    created_at: ago(80),
    expires_at: null,
    last_used_at: null,
    ...change,
  };
}

let keys: ApiKey[] = [
  key("Dialler", "editor", { scopes: ["tenant:view", "numbers:edit"], last_used_at: ago(0) }),
  key("Nightly report", "viewer", { last_used_at: ago(1), previous_until: ago(-1) }),
  key("Set-up by the integration partner", "owner", { expires_at: ago(-12) }),
];

let issuers: TokenIssuer[] = [issuer({ issuer: "https://login.northwind.example/tenant/47", audience: "ringfence" })];

function issuer(given: Partial<TokenIssuer>): TokenIssuer {
  return {
    id: id("iss"),
    issuer: "",
    audience: "",
    jwks_url: "https://login.northwind.example/keys",
    algorithms: ["RS256"],
    role_claim: "groups",
    roles: { "ringfence-admins": "admin", "ringfence-staff": "viewer" },
    default_role: null,
    created_at: ago(40),
    ...given,
  };
}

const secret = () => id("rf_live");

export function apiKeys(path: string[], sent: Sent): MockAnswer {
  const [which, action] = path;
  if (which === undefined && sent.method === "GET") return ok({ data: keys, next_cursor: null });
  if (which === undefined) return addedKey(JSON.parse(sent.text) as NewApiKey);
  const found = keys.find((one) => one.id === which);
  if (found === undefined) return notFound();
  if (action === "rotate") {
    found.previous_until = ago(-1);
    return ok({ ...found, key: secret() });
  }
  keys = keys.filter((one) => one.id !== which);
  return { status: 204, body: undefined };
}

function addedKey(body: NewApiKey): MockAnswer {
  if (body.name === "") {
    const fault = { pointer: "/name", code: "out_of_range", detail: "must have 1 to 200 characters" };
    return problem(422, "validation_failed", "one field is wrong", [fault]);
  }
  const one = key(body.name, body.role, { scopes: body.scopes ?? null, expires_at: body.expires_at ?? null });
  keys.push(one);
  return { status: 201, body: { ...one, key: secret() } };
}

export function tokenIssuers(path: string[], sent: Sent): MockAnswer {
  const [which] = path;
  if (which !== undefined) {
    issuers = issuers.filter((one) => one.id !== which);
    return { status: 204, body: undefined };
  }
  if (sent.method === "GET") return ok({ data: issuers, next_cursor: null });
  const body = JSON.parse(sent.text) as NewTokenIssuer;
  if (!body.jwks_url.startsWith("https://")) {
    const fault = { pointer: "/jwks_url", code: "invalid", detail: "must be an https address" };
    return problem(422, "validation_failed", "one field is wrong", [fault]);
  }
  const one = issuer(body as Partial<TokenIssuer>);
  issuers.push(one);
  return { status: 201, body: one };
}
