/**
 * What went wrong with a request, in words for the person at the screen.
 *
 * Every failure of the API client is an `ApiProblem`; nothing else is thrown by `api/`.
 */

export interface FieldFault {
  /** JSON pointer into what was sent; into a CSV document: line and column. */
  pointer: string;
  detail: string;
}

export interface ProblemBody {
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  request_id?: string;
  errors?: FieldFault[];
}

export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly errors: FieldFault[];

  constructor(body: ProblemBody) {
    super(body.detail ?? body.title ?? "The request failed.");
    this.name = "ApiProblem";
    this.status = body.status ?? 0;
    this.code = body.code ?? "unknown";
    this.requestId = body.request_id;
    this.errors = body.errors ?? [];
  }
}

export function unreachable(): ApiProblem {
  return new ApiProblem({ status: 0, code: "unreachable", detail: "Ringfence did not answer." });
}

/** Answers that come from a proxy in between have no problem document. */
export function problemFrom(response: Response, body: unknown): ApiProblem {
  const known: ProblemBody = typeof body === "object" && body !== null ? body : {};
  const requestId = known.request_id ?? response.headers.get("x-request-id") ?? undefined;
  return new ApiProblem({
    ...known,
    status: response.status,
    detail: known.detail ?? known.title ?? `The answer was ${response.status} ${response.statusText}`.trim(),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  });
}

export function isRetryable(problem: unknown): boolean {
  return problem instanceof ApiProblem && (problem.status === 0 || problem.status === 429 || problem.status >= 500);
}

export function whatToDo(problem: ApiProblem): string {
  if (problem.status === 0) return "Check your network connection. We keep trying.";
  if (problem.status === 401) return "Check that the whole key was copied, or ask an owner or admin for a new one.";
  if (problem.status === 403) return "Ask an owner of this tenant for a role that may see this.";
  if (problem.status === 404) return "It may have been deleted, or the address is mistyped.";
  if (problem.status === 429) return "Too many requests at once. We try again in a moment.";
  if (problem.status >= 500) return "We keep trying. If it lasts, give the request id to whoever runs Ringfence.";
  return "Reload the page. If it lasts, give the request id to whoever runs Ringfence.";
}
