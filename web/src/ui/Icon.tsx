/** The few signs in use, drawn on a 20-unit grid with one stroke weight. */

const PATHS = {
  instances: "M3 4.5h14v4H3zM3 11.5h14v4H3zM6 6.5h.01M6 13.5h.01",
  decisions: "M3.5 5h8M3.5 10h6M3.5 15h8M14 9.5l2 2 0 0M16.5 7.5 14 12.5",
  list: "M7 5h10M7 10h10M7 15h10M3.25 5h.01M3.25 10h.01M3.25 15h.01",
  number: "M7.5 4 6 16M14 4l-1.5 12M4 7.75h12.5M3.5 12.25H16",
  bell: "M5.5 13.5V9a4.5 4.5 0 0 1 9 0v4.5M4 13.5h12M8.5 16.5h3",
  people:
    "M7.5 4.5a2.75 2.75 0 1 0 0 5.5 2.75 2.75 0 0 0 0-5.5M2.5 16c0-2.5 2.2-4 5-4s5 1.5 5 4M13 5a2.4 2.4 0 0 1 0 4.6M14.5 12.4c1.9.5 3 1.8 3 3.6",
  key: "M7 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M9.6 9.6 16 3.2M13 6.2l2.4 2.4M7 12h.01",
  bars: "M4 16.5v-5M8 16.5V8M12 16.5v-6.5M16 16.5v-12",
  copy: "M7.5 7.5h8v8h-8zM4.5 12.5v-8h8",
  check: "M4 10.5l4 4 8-9",
  cross: "M5 5l10 10M15 5 5 15",
  minus: "M5 10h10",
  pause: "M7 5v10M13 5v10",
  play: "M7 4.5v11l8.5-5.5z",
  eye: "M2.5 10s2.7-5 7.5-5 7.5 5 7.5 5-2.7 5-7.5 5-7.5-5-7.5-5zM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
  eyeOff:
    "M3 3l14 14M8.3 5.2A8 8 0 0 1 10 5c4.8 0 7.5 5 7.5 5a13 13 0 0 1-2.2 2.8M12 14.7a8 8 0 0 1-2 .3c-4.8 0-7.5-5-7.5-5a13 13 0 0 1 3-3.4",
  sun: "M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.4 4.4l1 1M14.6 14.6l1 1M15.6 4.4l-1 1M5.4 14.6l-1 1",
  moon: "M16 12A6.5 6.5 0 0 1 8 4a6.5 6.5 0 1 0 8 8z",
  auto: "M3 4.5h14v9H3zM7 16.5h6M10 13.5v3",
  out: "M8 4H4v12h4M8.5 10H17M13.5 6.5 17 10l-3.5 3.5",
  next: "M7.5 4.5 13 10l-5.5 5.5",
  back: "M12.5 4.5 7 10l5.5 5.5",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  warning: "M10 3.5 17.5 16.5h-15zM10 8.5v3.5M10 14.25h.01",
} as const;

export type IconName = keyof typeof PATHS;

interface Props {
  name: IconName;
  size?: number;
  weight?: number;
}

export function Icon({ name, size = 18, weight = 1.6 }: Props) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth={weight}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
