/** Commands to copy. The key is never part of them: it comes from the reader's own environment. */

const AUTHORISED = `-H "Authorization: Bearer $KEY" -H 'Content-Type: application/json'`;

export function policyCommand(origin: string): string {
  return `curl -sS -X PUT ${origin}/v1/policies/default \\
  ${AUTHORISED} \\
  -d '{"mode": "shadow", "rules": [{"id": "three-a-day", "per": ["customer"],
       "limit": {"kind": "sliding", "max": 3, "window_seconds": 86400}}]}'`;
}
