/** The dashboard in a browser: what a viewer can rely on, on the real API or on the mock. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { violations } from "./axe";
import { NARROW, openStage, signIn, type Stage, visit } from "./stage";

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage?.close();
});

const TWO_POLLS_MS = 4500;

const rows = (page: Page) => page.getByRole("link", { name: /, explain$/ });

async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

async function firstInstance(page: Page): Promise<string> {
  const link = page.getByRole("table", { name: "Instances" }).getByRole("link").first();
  await link.waitFor();
  return (await link.textContent()) ?? "";
}

describe("signing in", () => {
  it("with a wrong key says what to do and keeps the key out of the browser's storage", async () => {
    const { page, context } = await visit(stage);
    await page.goto(stage.url);
    const input = page.getByLabel("API key", { exact: true });
    await input.fill("rf_live_0000000000000000000000000000000000000000");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This key is not accepted.").waitFor();
    expect(await page.getByText(/^Request/).textContent()).toMatch(/req_/);
    expect(await input.getAttribute("aria-invalid")).toBe("true");
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    await context.close();
  });

  it("with the right key opens the address that was asked for, and survives a reload", async () => {
    const { page, context, complaints } = await visit(stage);
    await signIn(stage, page, "/decisions?outcome=denied");
    await page.getByRole("heading", { name: "Decisions", level: 1 }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Decisions", level: 1 }).waitFor();
    expect(page.url()).toContain("outcome=denied");
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("ends with signing out: the key is gone", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key", { exact: true }).waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    await context.close();
  });

  it("ends when the key is no longer accepted, and says so", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page);
    await page.route("**/v1/**", (route) =>
      route.fulfill({
        status: 401,
        contentType: "application/problem+json",
        body: JSON.stringify({ title: "Unauthenticated", status: 401, code: "unauthenticated" }),
      }),
    );
    // The instances are asked for again by themselves, and the answer is refused.
    await page.getByText("no longer accepted").waitFor();
    await context.close();
  });
});

describe("instances", () => {
  it("are listed, and each opens to its checks, installation and limits", async () => {
    const { page, context, complaints } = await visit(stage);
    await signIn(stage, page);
    const name = await firstInstance(page);
    await page.getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { name, level: 1 }).waitFor();
    for (const section of ["Installation", "Coverage", "Limits", "Connection"])
      await page.getByRole("heading", { name: section, level: 2 }).waitFor();
    await page.getByText("Ready: calls are limited").waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });
});

describe("a new instance", () => {
  it("is registered in the browser, and told what its verification wants", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page);
    await firstInstance(page);
    await page.getByRole("button", { name: "Register an instance" }).click();
    const form = page.getByRole("form", { name: "Register an instance" });
    await form.getByLabel("ARN").fill("northwind");
    await form.getByRole("button", { name: "Register" }).click();
    await form.getByText(/^Must look like arn:/).waitFor();
    await form
      .getByLabel("ARN")
      .fill("arn:aws:connect:us-east-1:111122220004:instance/6f1c2a90-0000-4000-8000-000000000003");
    await form.getByLabel("Name").fill("northwind-pilot");
    await form.getByRole("button", { name: "Register" }).click();
    await page.getByRole("heading", { name: "northwind-pilot", level: 1 }).waitFor();
    // The link that opens CloudFormation can be read as well as clicked.
    await page.getByRole("link", { name: "Open CloudFormation" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText(/^Not everything is in order yet/).waitFor();
    await page.getByRole("button", { name: "Delete instance" }).click();
    await page.getByRole("button", { name: "Really delete" }).click();
    await page.getByRole("heading", { name: "Instances", level: 1 }).waitFor();
    await context.close();
  });
});

describe("an instance", () => {
  it("tells which queues are not limited when asked, and takes another wish for its installation", async () => {
    const { page, context, complaints } = await visit(stage);
    await signIn(stage, page);
    await page.getByRole("link", { name: await firstInstance(page), exact: true }).click();
    await page.getByRole("button", { name: "Find gaps" }).click();
    await page.getByRole("list", { name: "Queues that agents can dial from" }).waitFor();
    await page.getByText("ways round that no whisper").click();
    await page.getByText("Transfers to outside numbers").waitFor();

    await page.getByRole("button", { name: "Change", exact: true }).click();
    await page.getByLabel(/Calls are stopped/).check();
    await page.getByText("--stack-name ringfence-fallback").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel("Calls go out", { exact: true }).check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("form", { name: "Install" }).waitFor({ state: "hidden" });
    expect(complaints).toEqual([]);
    await context.close();
  });
});

describe("removal", () => {
  it("asks for the instance's name, and sends nothing for another one", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page);
    const name = await firstInstance(page);
    await page.getByRole("link", { name, exact: true }).click();
    let asked = 0;
    // It stays installed: the tests after this one look at it.
    await page.route("**/installation", (route) => {
      if (route.request().method() !== "DELETE") return route.continue();
      asked += 1;
      return route.fulfill({ status: 202, json: {} });
    });
    await page.getByRole("button", { name: "Remove Ringfence" }).click();
    const form = page.getByRole("form", { name: `Remove Ringfence from ${name}` });
    await form.getByLabel("Name of the instance").fill(`${name}-2`);
    await form.getByRole("button", { name: "Remove" }).click();
    await form.getByText(`Type ${name} to go on.`).waitFor();
    expect(await violations(page)).toEqual([]);
    expect(asked).toBe(0);
    await form.getByLabel("Name of the instance").fill(name);
    await form.getByRole("button", { name: "Remove" }).click();
    await form.waitFor({ state: "detached" });
    expect(asked).toBe(1);
    await context.close();
  });
});

describe("decisions", () => {
  it("come in by themselves, and stand still while paused", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page, "/decisions");
    await rows(page).first().waitFor();
    const newest = () => rows(page).first().getAttribute("href");
    const before = await newest();
    await expect.poll(newest, { timeout: 20_000 }).not.toBe(before);

    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused").waitFor();
    let asked = 0;
    page.on("request", (request) => {
      if (request.url().includes("/v1/decisions")) asked += 1;
    });
    const held = await newest();
    const clock = () => page.evaluate(() => performance.now());
    await expect.poll(clock, { timeout: 10_000 }).toBeGreaterThan((await clock()) + TWO_POLLS_MS);
    expect(await newest()).toBe(held);
    expect(asked).toBe(0);
    await page.getByRole("button", { name: "Resume" }).click();
    await expect.poll(newest, { timeout: 20_000 }).not.toBe(held);
    await context.close();
  });

  it("show no full number until the viewer asks for it", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page, "/decisions");
    await rows(page).first().waitFor();
    const list = page.getByRole("table", { name: "Decisions" });
    expect(await list.textContent()).toContain("•••");
    expect(await list.textContent()).not.toMatch(/\+1 \d{3} \d{3} \d{4}/);
    await page.getByRole("switch", { name: "Show numbers" }).click();
    expect(await list.textContent()).toMatch(/\+1 \d{3} \d{3} \d{4}/);
    await context.close();
  });

  it("are explained in full at an address of their own", async () => {
    const { page, context, complaints } = await visit(stage);
    await signIn(stage, page, "/decisions?outcome=denied");
    await rows(page).first().waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await rows(page).first().focus();
    await page.keyboard.press("Enter");
    const drawer = page.getByRole("dialog");
    await drawer.getByText(/^The call was denied/).waitFor();
    expect(await drawer.textContent()).toMatch(/\d+ counted before this call, \d+ allowed/);
    expect(page.url()).toContain("decision=dec_");
    await page.reload();
    await drawer.getByText(/^The call was denied/).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.url()).not.toContain("decision=");
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("are filtered by the address", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page, "/decisions?outcome=denied");
    await rows(page).first().waitFor();
    const outcomes = await page
      .getByRole("table", { name: "Decisions" })
      .locator("tbody td:nth-child(2)")
      .allTextContents();
    expect(new Set(outcomes.map((outcome) => outcome.split(",")[0]))).toEqual(new Set(["Denied"]));
    await page.getByRole("combobox", { name: "Outcome" }).click();
    await page.getByRole("option", { name: "Allowed" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("option", { name: "Allowed" }).click();
    await expect.poll(() => page.url()).toContain("outcome=allowed");
    await context.close();
  });
});

describe("numbers", () => {
  it("are blocked and taken off again, and a number that is none is explained at its field", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page, "/numbers");
    await page.getByRole("button", { name: "Block a number" }).click();
    const form = page.getByRole("form", { name: "Block a number" });
    await form.getByLabel("Number").fill("2065550190");
    await form.getByLabel("Reason").fill("Asked not to be called");
    await form.getByRole("button", { name: "Add" }).click();
    await form.getByText(/E\.164/).waitFor();
    await form.getByLabel("Number").fill("+1 206 555 0190");
    await form.getByRole("button", { name: "Add" }).click();
    await form.getByText(/^Added/).waitFor();
    const row = page.getByRole("table", { name: "Numbers" }).getByRole("row", { name: /0190|0 1 9 0/ });
    expect(await row.textContent()).toContain("•••");
    await row.getByRole("button", { name: "Remove" }).click();
    await row.getByRole("button", { name: "Really remove" }).click();
    await row.waitFor({ state: "detached" });
    await context.close();
  });

  it("are looked up, reset with a reason, and erased once typed again", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page, "/numbers");
    await page.getByLabel("Find a number").fill("+1 206 555 0142");
    await page.getByRole("button", { name: "Look up" }).click();
    await page
      .getByText(/\d of 4 counted, none left/)
      .first()
      .waitFor();
    if (stage.isMock) await page.getByText("Its region does not answer.").waitFor();
    await page.getByRole("button", { name: "Reset…" }).click();
    const reset = page.getByRole("form", { name: "Reset what is counted for this number" });
    await reset.getByRole("button", { name: "Reset" }).click();
    await reset.locator("[aria-invalid=true]").waitFor();
    await reset.getByLabel("Reason").fill("Called by mistake");
    await reset.getByRole("button", { name: "Reset" }).click();
    await reset
      .getByText(stage.isMock ? /its region did not answer/ : /The next call to this number is the first/)
      .waitFor();
    await page.getByText("0 of 4 counted, 4 left").first().waitFor();
    await page.getByRole("button", { name: "Erase…" }).click();
    const erase = page.getByRole("form", { name: "Erase this number" });
    expect(await violations(page)).toEqual([]);
    await erase.getByLabel("The number").fill("0142");
    await erase.getByRole("button", { name: "Erase" }).click();
    await erase.getByText("Type the whole number, with its country code.").waitFor();
    await erase.getByLabel("The number").fill("+1 206 555 0142");
    await erase.getByRole("button", { name: "Erase" }).click();
    await page.getByText(stage.isMock ? "Erased, out of 12 decisions." : /^Being erased, out of/).waitFor();
    await context.close();
  });

  it("come from a file, of which every faulty line is told and nothing is taken until all is well", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page, "/numbers?list=exemptions");
    await page.getByRole("button", { name: "Import CSV" }).click();
    const send = (text: string) =>
      page.locator("input[type=file]").setInputFiles({
        name: "numbers.csv",
        mimeType: "text/csv",
        buffer: Buffer.from(text),
      });
    await send("number,reason\n+12065550191,Test line\n2065550192,Test line\n");
    await page.getByText(/line 3: /).waitFor();
    await send("number,reason\n+12065550191,Test line\n");
    await page.getByText(/^1 (added|there already)\.$/).waitFor();
    await context.close();
  });
});

describe("webhooks", () => {
  it("are added, show their secret once, are tried out, and deleted", async () => {
    const { page, context } = await visit(stage);
    await signIn(stage, page, "/webhooks");
    await page.getByRole("button", { name: "Add a webhook" }).click();
    const form = page.getByRole("form", { name: "Add a webhook" });
    await form.getByLabel("Address").fill("http://hooks.example.com/");
    await form.getByLabel("A call was not let out").check();
    await form.getByRole("button", { name: "Add" }).click();
    await form.getByText(/https address/).waitFor();
    await form.getByLabel("Address").fill("https://hooks.example.com/tried");
    await form.getByRole("button", { name: "Add" }).click();
    await page.getByText(/^whsec_/).waitFor();
    await page.getByRole("button", { name: "I have copied it" }).click();
    expect(await page.getByText(/^whsec_/).count()).toBe(0);
    await page.getByText("https://hooks.example.com/tried").click();
    await page.getByRole("button", { name: "Send a test message" }).click();
    const deliveries = page.getByRole("list", { name: "Deliveries" });
    await deliveries
      .getByRole("button", { name: /webhook\.test/ })
      .first()
      .click();
    await page.getByLabel("Message").waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Really delete" }).click();
    await page.getByRole("button", { name: "Add a webhook" }).waitFor();
    // The list is read again behind what was there.
    await page.getByText("https://hooks.example.com/tried").waitFor({ state: "detached" });
    await context.close();
  });
});

describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
  it("every screen passes axe", async () => {
    const { page, context } = await visit(stage, { colorScheme });
    await page.goto(stage.url);
    await page.getByLabel("API key", { exact: true }).waitFor();
    expect(await violations(page)).toEqual([]);
    await signIn(stage, page);
    const name = await firstInstance(page);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("link", { name, exact: true }).click();
    await page.getByText("Ready: calls are limited").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.goto(`${stage.url}/decisions`);
    await rows(page).first().waitFor();
    expect(await violations(page)).toEqual([]);
    await page.goto(`${stage.url}/decisions?outcome=denied`);
    await rows(page).first().click();
    await page.getByRole("dialog").getByRole("heading", { name: "Rules" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.goto(`${stage.url}/numbers`);
    for (const panel of ["Block a number", "Import CSV"]) {
      await page.getByRole("button", { name: panel }).click();
      expect(await violations(page)).toEqual([]);
    }
    await page.goto(`${stage.url}/webhooks`);
    await page.getByRole("button", { name: "Add a webhook" }).click();
    expect(await violations(page)).toEqual([]);
    await context.close();
  });
});

describe("the API's description", () => {
  it("has the page's colours, also for those who want no motion", async () => {
    const { page, context } = await visit(stage);
    await page.goto(`${stage.url}/docs.html`);
    const colour = (name: string) => page.locator("rapi-doc").getAttribute(name);
    await expect.poll(() => colour("text-color")).toBe("#10201c");
    expect(await colour("bg-color")).toBe("#f2f5f4");
    await context.close();
  });
});

describe("at 375 pixels", () => {
  it("nothing scrolls sideways, and everything is reachable", async () => {
    const { page, context } = await visit(stage, { viewport: NARROW });
    await page.goto(stage.url);
    expect(await overflow(page)).toBe(0);
    await signIn(stage, page);
    const first = page.getByRole("list", { name: "Instances" }).getByRole("link").first();
    await first.waitFor();
    expect(await overflow(page)).toBe(0);
    await first.click();
    await page.getByText("Ready: calls are limited").waitFor();
    expect(await overflow(page)).toBe(0);
    await page.getByRole("link", { name: "Decisions", exact: true }).click();
    await rows(page).first().waitFor();
    expect(await overflow(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("link", { name: "Numbers", exact: true }).click();
    await page.getByRole("button", { name: "Block a number" }).click();
    expect(await overflow(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: /^Account/ }).click();
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key", { exact: true }).waitFor();
    await context.close();
  });
});
