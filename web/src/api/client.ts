/** The typed client. The key goes into the Authorization header and nowhere else. */
import createClient, { type Client, type Middleware } from "openapi-fetch";

import { ApiProblem, problemFrom, unreachable } from "./problem";
import type { paths } from "./schema";

export type Api = Client<paths>;

const REQUEST_TIMEOUT_MS = 20_000;

async function fetchInTime(request: Request): Promise<Response> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
  try {
    return await fetch(request, { signal });
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    throw unreachable();
  }
}

export function createApi(key: string, onRefused: (problem: ApiProblem) => void = () => {}): Api {
  const authorise: Middleware = {
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${key}`);
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
