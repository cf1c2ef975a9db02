/** What the API says of single fields, to be shown at them. */
import { sentence } from "../text/sentence";
import { ApiProblem } from "./problem";

/** `null` where nothing is wrong with the field. */
export function faultAt(error: unknown, field: string): string | null {
  if (!(error instanceof ApiProblem)) return null;
  const detail = error.errors.find(
    ({ pointer }) => pointer === `/${field}` || pointer.startsWith(`/${field}/`),
  )?.detail;
  return detail === undefined ? null : `${sentence(detail)}.`;
}

/** Everything that is wrong stands at a field. */
export function isToldAtFields(error: unknown): boolean {
  return error instanceof ApiProblem && error.errors.length > 0;
}
