/** The present, by the second for countdowns and by the minute for everything else: one timer for the whole page. */
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";

const MINUTE_MS = 60_000;

const Second = createContext(0);
const Minute = createContext(0);

export function NowProvider({ children }: { children: ReactNode }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <Minute value={Math.floor(now / MINUTE_MS) * MINUTE_MS}>
      <Second value={now}>{children}</Second>
    </Minute>
  );
}

export function useNow(): number {
  return useContext(Second);
}

export function useMinute(): number {
  return useContext(Minute);
}
