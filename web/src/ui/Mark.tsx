/** The product's mark: a fence of five posts round what it protects. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <circle
        cx="16"
        cy="16"
        r="11.5"
        fill="none"
        stroke="var(--accent)"
        strokeWidth="5"
        pathLength="72.25"
        strokeDasharray="10.45 4"
        transform="rotate(-64 16 16)"
      />
      <circle cx="16" cy="16" r="3.5" fill="var(--accent)" />
    </svg>
  );
}
