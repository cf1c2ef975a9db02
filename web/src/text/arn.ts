/** What people need of an ARN: its last part, and the beginning of that. */

export function resourceOf(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}

/** `instance/1f3c7a90…` for an instance's ARN: enough to tell two apart. */
export function shortArn(arn: string): string {
  const resource = arn.split(":").slice(5).join(":");
  const cut = resource.lastIndexOf("/");
  if (cut === -1) return arn;
  return `${resource.slice(0, cut)}/${shortId(resource.slice(cut + 1))}`;
}

function shortId(id: string): string {
  return id.length > 12 ? `${id.slice(0, 8)}…` : id;
}
