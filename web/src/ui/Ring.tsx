/**
 * A limit as a fence: one post per admitted attempt, standing posts are used up.
 *
 * Limits too large to count by eye are one closed arc. Decorative: the numbers stand beside it in words.
 */
import classes from "./Ring.module.css";

const MAX_POSTS = 16;
const RADIUS = 13;
const GAP_DEGREES = 14;

interface Props {
  used: number | null;
  limit: number;
  tone: "denied" | "caution" | "plain";
  size?: number;
}

export function Ring({ used, limit, tone, size = 36 }: Props) {
  const posts = Math.max(1, Math.min(limit, MAX_POSTS));
  const filled =
    used === null
      ? 0
      : limit <= MAX_POSTS
        ? Math.min(used, posts)
        : Math.min(posts, Math.floor((used / limit) * posts));
  const step = 360 / posts;
  const gap = posts === 1 ? 0.01 : Math.min(GAP_DEGREES, step * 0.35);
  return (
    <svg
      className={classes.ring}
      data-tone={tone}
      width={size}
      height={size}
      viewBox="0 0 32 32"
      aria-hidden="true"
      focusable="false"
    >
      {Array.from({ length: posts }, (_, post) => (
        <path
          key={post}
          d={arc(post * step + gap / 2, (post + 1) * step - gap / 2)}
          data-used={post < filled || undefined}
        />
      ))}
      {tone === "denied" && <circle cx="16" cy="16" r="4" />}
    </svg>
  );
}

function arc(from: number, to: number): string {
  const [startX, startY] = at(from);
  const [endX, endY] = at(to);
  return `M${startX} ${startY}A${RADIUS} ${RADIUS} 0 ${to - from > 180 ? 1 : 0} 1 ${endX} ${endY}`;
}

function at(degrees: number): [string, string] {
  const angle = ((degrees - 90) * Math.PI) / 180;
  return [(16 + RADIUS * Math.cos(angle)).toFixed(2), (16 + RADIUS * Math.sin(angle)).toFixed(2)];
}
