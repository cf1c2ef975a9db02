import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Locked {
  packages: Record<string, { hasInstallScript?: boolean }>;
}

/**
 * rapidoc comes as one bundle, and names beside it what that was made of: a tree of packages with install scripts, one of
 * which reports each installation. `overrides` in package.json puts a package in its place that rapidoc needs anyway.
 */
test("no package runs anything when it is installed, and none reports installations", () => {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as Locked;
  const running = Object.keys(packages).filter((name) => packages[name]?.hasInstallScript === true);
  expect(running).toEqual([]);
  expect(Object.keys(packages).filter((name) => name.includes("scarf"))).toEqual([]);
});
