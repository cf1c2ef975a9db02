/** A state in one word. The sign in front differs by tone as well, so that colour is never the only difference. */
import type { ReactNode } from "react";

import classes from "./Badge.module.css";

export type Tone = "good" | "denied" | "caution" | "note" | "fault" | "plain";

interface Props {
  tone: Tone;
  children: ReactNode;
  /** Without a background, for use in running rows. */
  quiet?: boolean;
}

export function Badge({ tone, children, quiet = false }: Props) {
  return (
    <span className={classes.badge} data-tone={tone} data-quiet={quiet || undefined}>
      <Sign tone={tone} />
      {children}
    </span>
  );
}

function Sign({ tone }: { tone: Tone }) {
  return (
    <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true" focusable="false">
      {tone === "denied" && <path d="M2 2l6 6M8 2 2 8" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />}
      {tone === "caution" && <path d="M5 1 9.5 9h-9z" fill="currentColor" />}
      {tone === "fault" && <path d="M5 .5 9.5 5 5 9.5.5 5z" fill="currentColor" />}
      {tone === "note" && <rect x="1.5" y="1.5" width="7" height="7" rx="1.5" fill="currentColor" />}
      {tone === "good" && <circle cx="5" cy="5" r="3.5" fill="currentColor" />}
      {tone === "plain" && <circle cx="5" cy="5" r="2.75" fill="none" stroke="currentColor" strokeWidth="1.5" />}
    </svg>
  );
}
