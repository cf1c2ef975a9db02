/**
 * People: signing in with a real OpenID provider, invitations, roles, and what other sites cannot do. Runs only where the
 * API was started for it: `RINGFENCE_E2E_PROVIDER_PORT` is where it expects the provider.
 */
import { mkdirSync } from "node:fs";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { violations } from "./axe";
import { type Running, startProvider } from "./provider";
import { NARROW, openStage, type Stage, visit, type Visit } from "./stage";

const PORT = process.env["RINGFENCE_E2E_PROVIDER_PORT"];
const OPERATOR = process.env["RINGFENCE_E2E_OPERATOR_KEY"] ?? "";
const SCREENSHOTS = process.env["SCREENSHOTS"];

let stage: Stage;
let provider: Running;

beforeAll(async () => {
  if (PORT === undefined) return;
  stage = await openStage();
  provider = await startProvider({
    port: Number(PORT),
    clientId: process.env["RINGFENCE_E2E_CLIENT_ID"] ?? "",
    clientSecret: process.env["RINGFENCE_E2E_CLIENT_SECRET"] ?? "",
    redirectUri: `${stage.url}/auth/callback`,
  });
});
afterAll(async () => {
  await provider?.close();
  await stage?.close();
});

async function operator(path: string, body: object, tenant?: string): Promise<Record<string, string>> {
  const answer = await fetch(`${stage.url}/v1/${path}`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${OPERATOR}`,
      "Content-Type": "application/json",
      ...(tenant === undefined ? {} : { "Ringfence-Tenant": tenant }),
    },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(201);
  return (await answer.json()) as Record<string, string>;
}

/** A tenant, and the link that makes somebody its owner. */
async function tenant(name: string): Promise<{ id: string; link: string }> {
  const { id } = await operator("tenants", { name });
  const { link } = await operator("invitations", { role: "owner" }, id);
  if (id === undefined || link === undefined) throw new Error("no tenant");
  return { id, link };
}

async function sayWho(page: Page, name: string): Promise<void> {
  await page.getByLabel("Who are you?").fill(name);
  await page.getByRole("button", { name: "Continue" }).click();
}

/** Opens the link, signs in as somebody, and joins. */
async function join(link: string, name: string): Promise<Visit> {
  const visited = await visit(stage);
  const { page } = visited;
  await page.goto(link);
  await page.getByRole("heading", { name: "You are invited" }).waitFor();
  // The token has left the address, so that it cannot be seen, shared or kept in the history.
  expect(page.url()).not.toContain("rf_inv_");
  await page.getByRole("link", { name: "Sign in" }).click();
  await sayWho(page, name);
  await page.getByText(`You are signed in as ${name.charAt(0).toUpperCase()}${name.slice(1)}.`).waitFor();
  await page.getByRole("button", { name: "Accept the invitation" }).click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  return visited;
}

async function shoot(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true });
}

const members = (page: Page) => page.getByRole("list", { name: "Members" });

describe.skipIf(PORT === undefined)("people", () => {
  it("sign in, invite each other, and are shown what they may do", async () => {
    const { link } = await tenant("Northwind");
    const ada = await join(link, "ada");
    await ada.page.getByRole("link", { name: "Members", exact: true }).click();
    await members(ada.page).getByText("ada@example.com").waitFor();

    await ada.page.getByRole("button", { name: "Invite somebody" }).click();
    await ada.page.getByRole("button", { name: "Make a link" }).click();
    const made = ada.page.getByRole("group", { name: "link" });
    const forBen = (await made.textContent()) ?? "";
    await shoot(ada.page, "invited");
    await ada.page.getByRole("button", { name: "I have copied it" }).click();
    await ada.page.getByRole("list", { name: "Open invitations" }).getByText("Whoever has the link").waitFor();

    const ben = await join(forBen, "ben");
    await ben.page.getByRole("link", { name: "Members", exact: true }).click();
    await members(ben.page).getByText("ben@example.com").waitFor();
    expect(await ben.page.getByRole("button", { name: "Invite somebody" }).count()).toBe(0);

    await ada.page.reload();
    await ada.page.getByLabel("Role of Ben").selectOption("admin");
    await expect
      .poll(async () => {
        await ben.page.reload();
        await members(ben.page).waitFor();
        return ben.page.getByRole("button", { name: "Invite somebody" }).count();
      })
      .toBe(1);
    expect(await violations(ada.page)).toEqual([]);
    await shoot(ada.page, "members");

    const row = members(ada.page).getByRole("listitem").filter({ hasText: "ben@example.com" });
    await row.getByRole("button", { name: "Remove" }).click();
    await row.getByRole("button", { name: "Really remove" }).click();
    await row.waitFor({ state: "detached" });
    await ben.page.getByRole("link", { name: "Decisions", exact: true }).click();
    await ben.page.getByText(/^You were signed out/).waitFor();

    // A link works once.
    const late = await visit(stage);
    await late.page.goto(forBen);
    await late.page.getByRole("link", { name: "Sign in" }).click();
    await sayWho(late.page, "eve");
    await late.page.getByRole("button", { name: "Accept the invitation" }).click();
    await late.page.getByText(/no such invitation any more/).waitFor();
    expect(ada.complaints).toEqual([]);
    await Promise.all([ada, ben, late].map(({ context }) => context.close()));
  });

  it("keep a session that no script can read, and that ends with signing out", async () => {
    const { link } = await tenant("Contoso");
    const { page, context } = await join(link, "cara");
    const cookies = await context.cookies(stage.url);
    const session = cookies.find((cookie) => cookie.name.endsWith("ringfence_session"));
    expect(session).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });
    expect(await page.evaluate(() => document.cookie)).toBe("");
    const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
    expect(kept).not.toContain(session?.value);
    expect(kept).not.toContain("rf_inv_");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in with your account" }).waitFor();
    expect((await context.cookies(stage.url)).filter((cookie) => cookie.name.endsWith("ringfence_session"))).toEqual(
      [],
    );
    await page.goto(`${stage.url}/members`);
    await page.getByRole("link", { name: "Sign in with your account" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await shoot(page, "sign-in");
    await context.close();
  });

  it("come back to the place that they asked for, and switch between their tenants", async () => {
    const [one, two] = [await tenant("First"), await tenant("Second")];
    const first = await join(one.link, "dora");
    await first.context.close();
    const { page, context } = await join(two.link, "dora");
    await page.getByText("Second", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Switch tenant" }).click();
    await page.getByRole("heading", { name: "Choose a tenant" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await shoot(page, "choose");
    await page.getByRole("button", { name: /^First/ }).click();
    await page.getByRole("navigation", { name: "Main" }).waitFor();
    await page.getByText("First", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in with your account" }).waitFor();
    await page.goto(`${stage.url}/decisions?outcome=denied`);
    await page.getByRole("link", { name: "Sign in with your account" }).click();
    // The provider still knows who is there.
    await page.getByRole("button", { name: /^Second/ }).click();
    await page.getByRole("heading", { name: "Decisions", level: 1 }).waitFor();
    expect(page.url()).toContain("/decisions?outcome=denied");
    await context.close();
  });

  it("are not made to act by another site", async () => {
    const { link } = await tenant("Fabrikam");
    const { page, context } = await join(link, "fay");
    const evil = await context.newPage();
    await evil.goto(`${provider.issuer}/interaction/none`);
    // As a form would send it: without asking first, with the cookie.
    // What comes back is kept from the page (Cross-Origin-Resource-Policy); what counts is that nothing was done.
    await evil.evaluate(async (url) => {
      await fetch(`${url}/v1/invitations`, {
        method: "POST",
        mode: "no-cors",
        credentials: "include",
        body: JSON.stringify({ role: "owner" }),
      }).catch(() => undefined);
    }, stage.url);
    const asked = await evil.evaluate(
      (url) =>
        fetch(`${url}/v1/me`, { credentials: "include" }).then(
          () => "read",
          () => "refused",
        ),
      stage.url,
    );
    expect(asked).toBe("refused");
    await page.getByRole("link", { name: "Members", exact: true }).click();
    await members(page).getByText("fay@example.com").waitFor();
    expect(await page.getByRole("list", { name: "Open invitations" }).count()).toBe(0);
    await context.close();
  });

  it("who operate make the first tenants, and see and drain the limiters of all", async () => {
    const { page, context, complaints } = await visit(stage);
    await page.goto(stage.url);
    await page.getByRole("link", { name: "Sign in with your account" }).click();
    await sayWho(page, "olga");
    await page.getByText("Signed in as Olga, an operator").waitFor();
    await page.getByRole("button", { name: "Make a tenant" }).click();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("form", { name: "Make a tenant" }).getByLabel("Name").fill("Made in a browser");
    await page.getByRole("button", { name: "Make", exact: true }).click();
    await page.getByText("Register your first instance").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("link", { name: "Limiters", exact: true }).click();
    const here = page.getByRole("list", { name: "Limiters in us-east-1" });
    await here.getByText("In service").waitFor();
    expect(await violations(page)).toEqual([]);
    await here.getByRole("button", { name: "Drain" }).click();
    await here.getByRole("button", { name: "Move all away" }).click();
    await here.getByText("Drained").waitFor();
    await page.getByText("No place free: add a function").waitFor();
    await here.getByRole("button", { name: "Take back" }).click();
    await here.getByRole("button", { name: "Really take back" }).click();
    await here.getByText("In service").waitFor();
    await shoot(page, "limiters");
    expect(complaints).toEqual([]);
    await context.close();

    // A member who types the address is told whose page it is.
    const { link } = await tenant("Curious");
    const member = await join(link, "hal");
    await member.page.goto(`${stage.url}/limiters`);
    await member.page.getByText("Limiters are the operator’s").waitFor();
    expect(await member.page.getByRole("link", { name: "Limiters", exact: true }).count()).toBe(0);
    await member.context.close();
  });

  it("find everything at 375 pixels in the dark", async () => {
    const { link } = await tenant("Narrow");
    const first = await join(link, "gus");
    await first.context.close();
    const { page, context } = await visit(stage, { viewport: NARROW, colorScheme: "dark" });
    await page.goto(`${stage.url}/members`);
    await page.getByRole("link", { name: "Sign in with your account" }).waitFor();
    await shoot(page, "sign-in-dark-375");
    await page.getByRole("link", { name: "Sign in with your account" }).click();
    await sayWho(page, "gus");
    await members(page).getByText("gus@example.com").waitFor();
    await page.getByRole("button", { name: "Invite somebody" }).click();
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBe(0);
    expect(await violations(page)).toEqual([]);
    await shoot(page, "members-dark-375");
    await context.close();
  });
});
