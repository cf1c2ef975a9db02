/** Times in the viewer's zone, in UTC, and as distances. Everything takes the present from the caller. */

const DAY_MS = 86_400_000;

/** Making one costs more than using it a hundred times. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(options: Intl.DateTimeFormatOptions, zone: string | undefined): Intl.DateTimeFormat {
  const key = `${zone ?? ""} ${JSON.stringify(options)}`;
  const known = formatters.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-GB", { ...options, ...(zone === undefined ? {} : { timeZone: zone }) });
  formatters.set(key, made);
  return made;
}

const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;

function civilDay(at: number, zone: string | undefined): string {
  return formatter({ year: "numeric", month: "2-digit", day: "2-digit" }, zone).format(at);
}

export function clockTime(at: string, zone?: string): string {
  return formatter(clock, zone).format(Date.parse(at));
}

/** Nothing for today, "Yesterday", or the date. */
export function dayLabel(at: string, now: number, zone?: string): string | undefined {
  const then = Date.parse(at);
  const day = civilDay(then, zone);
  if (day === civilDay(now, zone)) return undefined;
  if (day === civilDay(now - DAY_MS, zone)) return "Yesterday";
  const sameYear = day.slice(-4) === civilDay(now, zone).slice(-4);
  return formatter({ day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) }, zone).format(then);
}

export function localTime(at: string, now: number, zone?: string): string {
  const day = dayLabel(at, now, zone);
  return day === undefined ? clockTime(at, zone) : `${day}, ${clockTime(at, zone)}`;
}

/** To the millisecond, as the API writes it, in a form that is easier to read. */
export function utcTime(at: string): string {
  const iso = new Date(Date.parse(at)).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)} UTC`;
}

/** The two largest units: "42 s", "3 h 5 min", "2 d". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const units: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first === -1) return "0 s";
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

export function ago(at: string, now: number): string {
  const seconds = (now - Date.parse(at)) / 1000;
  return seconds < 1 ? "just now" : `${duration(Math.floor(seconds))} ago`;
}
