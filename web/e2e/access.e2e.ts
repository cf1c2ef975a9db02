/** How programs reach the tenant, and what it used. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { violations } from "./axe";
import { NARROW, openStage, signIn, type Stage, visit } from "./stage";

/** Where people sign in with a provider, its own test is run alone. */
const ELSEWHERE = process.env["RINGFENCE_E2E_PROVIDER_PORT"] !== undefined;

let stage: Stage;

beforeAll(async () => {
  if (!ELSEWHERE) stage = await openStage();
});
afterAll(async () => stage?.close());

describe.skipIf(ELSEWHERE)("access", () => {
  it("keys are made, shown once, narrowed, given a new secret, and revoked", async () => {
    const { page, context, complaints } = await visit(stage);
    await signIn(stage, page, "/access");
    await page.getByRole("button", { name: "Make a key" }).click();
    const form = page.getByRole("form", { name: "Make a key" });
    await form.getByRole("button", { name: "Make", exact: true }).click();
    await form.getByText(/characters/).waitFor();
    await form.getByLabel("Name").fill("Tried in a browser");
    await form.getByLabel("Role", { exact: true }).selectOption("editor");
    await form.getByRole("switch", { name: "Only some of what the role may do" }).click();
    expect(await form.getByLabel("Make, rotate and revoke API keys").count()).toBe(0);
    await form.getByLabel("Block, exempt and reset numbers").check();
    await form.getByRole("button", { name: "Make", exact: true }).click();
    const shown = page.getByText(/^rf_live_[0-9A-Za-z_-]{20,}/);
    await shown.waitFor();
    const first = await shown.textContent();
    await page.getByRole("button", { name: "I have copied it" }).click();
    expect(await shown.count()).toBe(0);

    const row = page.getByRole("list", { name: "API keys" }).getByRole("listitem").filter({ hasText: "Tried in a" });
    expect(await row.textContent()).toContain("numbers:edit");
    await row.getByRole("button", { name: "New secret" }).click();
    const rotation = page.getByRole("form", { name: "A new secret for Tried in a browser" });
    await rotation.getByLabel("The secret before").selectOption({ label: "works for an hour more" });
    await rotation.getByRole("button", { name: "Make a new secret" }).click();
    await shown.waitFor();
    expect(await shown.textContent()).not.toBe(first);
    await page.getByRole("button", { name: "I have copied it" }).click();
    await row.getByText(/former secret until/).waitFor();

    await row.getByRole("button", { name: "Revoke" }).click();
    await row.getByRole("button", { name: "Really revoke" }).click();
    await row.waitFor({ state: "detached" });
    // What was wrong at first is told by the browser as well.
    expect(complaints.filter((complaint) => !complaint.includes("422"))).toEqual([]);
    await context.close();
  });

  it("issuers of tokens are added with who may do what, and removed", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page, "/access");
    await page.getByRole("button", { name: "Add an issuer" }).click();
    const form = page.getByRole("form", { name: "Add a token issuer" });
    await form.getByLabel("Issuer").fill("https://login.example.com/tried");
    await form.getByLabel("Audience").fill("ringfence");
    await form.getByLabel("Key set").fill("http://login.example.com/keys");
    await form.getByLabel("Claim with the role").fill("groups");
    await form.getByLabel("Its values").fill("callers = viewer");
    await form.getByRole("button", { name: "Add" }).click();
    await form.getByText(/https address/).waitFor();
    await form.getByLabel("Key set").fill("https://login.example.com/keys");
    await form.getByRole("button", { name: "Add" }).click();
    const row = page
      .getByRole("list", { name: "Token issuers" })
      .getByRole("listitem")
      .filter({ hasText: "login.example.com/tried" });
    await row.getByText("groups – callers: viewer, others: refused").waitFor();
    await row.getByRole("button", { name: "Remove" }).click();
    await row.getByRole("button", { name: "Really remove" }).click();
    await row.waitFor({ state: "detached" });
    await context.close();
  });
});

describe.skipIf(ELSEWHERE)("usage", () => {
  it("shows every quota and the present month", async () => {
    const { page, context, complaints } = await visit(stage);
    await signIn(stage, page, "/usage");
    const quotas = page.getByRole("list", { name: "Quotas" });
    await quotas.getByText("Blocked and exempt numbers").waitFor();
    expect(await quotas.getByRole("listitem").count()).toBe(5);
    const months = page.getByRole("list", { name: "Months" });
    await months
      .getByText(/allowed/)
      .first()
      .waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });
});

describe.skipIf(ELSEWHERE).each(["light", "dark"] as const)("in %s", (colorScheme) => {
  it("access and usage pass axe, and do not scroll sideways at 375 pixels", async () => {
    const { page, context } = await visit(stage, { colorScheme, viewport: NARROW });
    await signIn(stage, page, "/access");
    for (const panel of ["Make a key", "Add an issuer"]) {
      await page.getByRole("button", { name: panel }).click();
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    }
    await page.goto(`${stage.url}/usage`);
    await page.getByRole("list", { name: "Months" }).waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await context.close();
  });
});
