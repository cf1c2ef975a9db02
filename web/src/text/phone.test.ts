import { describe, expect, it } from "vitest";

import { masked, revealed, spokenMasked } from "./phone";

describe("masked numbers", () => {
  it.each([
    ["+12065550100", "+1 ••• ••• 0100"],
    ["+442079460142", "+44 ••• ••• 0142"],
    ["+4915112345678", "+49 •••• ••• 5678"],
    ["+35312345678", "+353 •••• 5678"],
    ["+6834002", "+683 ••02"],
  ])("%s shows country and end only", (number, text) => {
    expect(masked(number)).toBe(text);
  });

  it("show nothing of a text that is no number", () => {
    expect(masked("2065550100#77")).not.toMatch(/\d/);
    expect(masked("sip:someone")).not.toMatch(/[a-z]/);
  });

  it("show emergency and other three-digit numbers as they are", () => {
    expect(masked("911")).toBe("911");
  });

  it("never give away more than four digits of the national number", () => {
    for (const number of ["+1206555010", "+12065550100", "+3531234567", "+998901234567", "+1234567"]) {
      const shown = masked(number)
        .replace(/^\+\d+/, "")
        .replace(/\D/g, "");
      expect(shown.length, number).toBeLessThanOrEqual(4);
    }
  });

  it("are read out without their dots", () => {
    expect(spokenMasked("+12065550100")).toBe("number ending in 0 1 0 0");
    expect(spokenMasked("abc123")).toBe("hidden number");
  });
});

describe("revealed numbers", () => {
  it("keep every digit", () => {
    for (const number of ["+12065550100", "+442079460142", "+6834002", "+4915112345678"]) {
      expect(revealed(number).replaceAll(" ", "")).toBe(number);
    }
    expect(revealed("2065550100#77")).toBe("2065550100#77");
  });
});
