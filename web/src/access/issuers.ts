/** Identity providers whose tokens are accepted: what is read and sent, and what a mapping says. */
import { queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { NewTokenIssuer, Role, TokenAlgorithm, TokenIssuer } from "../api/types";
import { whole } from "../api/whole";

/** Every way in which a token may be signed: the compiler knows when one is missing. */
const ALGORITHM_NAMES: Record<TokenAlgorithm, true> = {
  RS256: true,
  RS384: true,
  RS512: true,
  PS256: true,
  PS384: true,
  PS512: true,
  ES256: true,
  ES384: true,
  EdDSA: true,
};

export const ALGORITHMS = Object.keys(ALGORITHM_NAMES) as TokenAlgorithm[];

export function issuersQuery(api: Api) {
  return queryOptions({
    queryKey: ["token-issuers"],
    queryFn: ({ signal }): Promise<TokenIssuer[]> =>
      whole(async (query) => bodyOf(await api.GET("/v1/token-issuers", { params: { query }, signal }))),
  });
}

export async function addIssuer(api: Api, body: NewTokenIssuer): Promise<TokenIssuer> {
  return bodyOf(await api.POST("/v1/token-issuers", { body }));
}

export async function removeIssuer(api: Api, id: string): Promise<void> {
  await api.DELETE("/v1/token-issuers/{id}", { params: { path: { id } } });
}

/** A line for each value: `ringfence-admins = admin`. Spaces do not matter, lines without a word are passed over. */
export function readRoles(text: string): Record<string, Role> {
  const pairs = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const at = line.lastIndexOf("=");
      return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    });
  // What is no role is for the API to refuse, with the reason.
  return Object.fromEntries(pairs) as Record<string, Role>;
}

/** Who may do what, in words. */
export function rolesText(issuer: TokenIssuer): string {
  const mapped = Object.entries(issuer.roles).map(([value, role]) => `${value}: ${role}`);
  const others = issuer.default_role == null ? "others: refused" : `others: ${issuer.default_role}`;
  const claim = issuer.role_claim == null ? "" : `${issuer.role_claim} – `;
  return `${claim}${[...mapped, others].join(", ")}`;
}
