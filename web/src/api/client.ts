/**
 * The typed client. A key goes into the Authorization header and nowhere else; a session is a cookie that scripts cannot
 * read, and with what changes something goes the token that only our own pages know.
 */
import createClient, { type Client, type Middleware } from "openapi-fetch";

import { ApiProblem, problemFrom, unreachable } from "./problem";
import type { paths } from "./schema";

export type Api = Client<paths>;

/** What speaks for whoever is in front of the screen. */
export type Credential =
  | { kind: "key"; key: string }
  /** `csrfToken` is known once `/v1/me` was read; `tenantId` of several tenants says which one. */
  | { kind: "session"; csrfToken: string | null; tenantId: string | null };

const REQUEST_TIMEOUT_MS = 20_000;
/** What is asked of Amazon Connect, or of the limiters' tables, comes at its pace. */
const PATIENT_TIMEOUT_MS = 125_000;
const PATIENT = /\/(queues|verify|reset)$/;

async function fetchInTime(request: Request): Promise<Response> {
  const patience = PATIENT.test(new URL(request.url).pathname) ? PATIENT_TIMEOUT_MS : REQUEST_TIMEOUT_MS;
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(patience)]);
  try {
    return await fetch(request, { signal });
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    throw unreachable();
  }
}

function introduce(request: Request, credential: Credential): void {
  if (credential.kind === "key") {
    request.headers.set("Authorization", `Bearer ${credential.key}`);
    return;
  }
  if (credential.tenantId !== null) request.headers.set("Ringfence-Tenant", credential.tenantId);
  if (credential.csrfToken !== null && request.method !== "GET")
    request.headers.set("X-CSRF-Token", credential.csrfToken);
}

export function createApi(credential: Credential, onRefused: (problem: ApiProblem) => void = () => {}): Api {
  const authorise: Middleware = {
    onRequest({ request }) {
      introduce(request, credential);
      return request;
    },
    async onResponse({ response }) {
      if (response.ok) return;
      const body: unknown = await response.json().catch(() => undefined);
      const problem = problemFrom(response, body);
      if (problem.status === 401) onRefused(problem);
      throw problem;
    },
  };
  const api = createClient<paths>({ baseUrl: globalThis.location.origin, fetch: fetchInTime });
  api.use(authorise);
  return api;
}

/** A 2xx answer always has the body its type promises; everything else was thrown by the middleware. */
export function bodyOf<T>(answer: { data?: T }): NonNullable<T> {
  if (answer.data === undefined || answer.data === null) {
    throw new ApiProblem({ code: "empty_answer", detail: "The answer was empty." });
  }
  return answer.data;
}
