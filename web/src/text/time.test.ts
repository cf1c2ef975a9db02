import { describe, expect, it } from "vitest";

import { ago, clockTime, dayLabel, duration, localTime, utcTime } from "./time";

const NOW = Date.parse("2026-11-25T15:00:00Z");

describe("times", () => {
  it("are told in the viewer's zone", () => {
    expect(clockTime("2026-11-25T14:03:22.123Z", "America/New_York")).toBe("09:03:22");
    expect(clockTime("2026-11-25T23:30:00Z", "Asia/Tokyo")).toBe("08:30:00");
    expect(clockTime("2026-11-25T00:00:05Z", "UTC")).toBe("00:00:05");
  });

  it("carry the day only when it is not today in the viewer's zone", () => {
    expect(dayLabel("2026-11-25T03:00:00Z", NOW, "UTC")).toBeUndefined();
    expect(dayLabel("2026-11-25T03:00:00Z", NOW, "America/New_York")).toBe("Yesterday");
    expect(localTime("2026-10-01T10:00:00Z", NOW, "UTC")).toBe("1 Oct, 10:00:00");
    expect(dayLabel("2025-10-01T10:00:00Z", NOW, "UTC")).toBe("1 Oct 2025");
  });

  it("are exact in UTC", () => {
    expect(utcTime("2026-11-25T15:03:22.5+01:00")).toBe("2026-11-25 14:03:22.500 UTC");
  });
});

describe("durations", () => {
  it.each([
    [0, "0 s"],
    [0.2, "1 s"],
    [42, "42 s"],
    [60, "1 min"],
    [3605, "1 h"],
    [11_100, "3 h 5 min"],
    [172_800, "2 d"],
  ])("%s seconds", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it("of the past never run ahead", () => {
    expect(ago("2026-11-25T14:59:59.500Z", NOW)).toBe("just now");
    expect(ago("2026-11-25T15:00:09Z", NOW)).toBe("just now");
    expect(ago("2026-11-25T14:58:00Z", NOW)).toBe("2 min ago");
  });
});
