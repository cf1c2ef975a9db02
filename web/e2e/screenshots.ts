/** Pictures of every screen, light and dark, wide and narrow, into the folder named by SCREENSHOTS. */
import { mkdirSync } from "node:fs";

import { it } from "vitest";

import { EMPTY_KEY } from "./mock/fixtures";
import { NARROW, openStage, signIn, type Stage, visit, WIDE } from "./stage";

const folder = process.env["SCREENSHOTS"] ?? "dist-screenshots";

it("takes pictures", async () => {
  mkdirSync(folder, { recursive: true });
  const stage = await openStage();
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const viewport of [WIDE, NARROW]) await round(stage, colorScheme, viewport);
    }
  } finally {
    await stage.close();
  }
});

async function round(stage: Stage, colorScheme: "light" | "dark", viewport: typeof WIDE): Promise<void> {
  const { page, context } = await visit(stage, { colorScheme, viewport });
  const shoot = async (name: string, fullPage = false) => {
    await page.waitForTimeout(500);
    await page.screenshot({ path: `${folder}/${name}-${colorScheme}-${viewport.width}.png`, fullPage });
  };
  await page.goto(stage.url);
  await shoot("sign-in");
  await page.getByLabel("API key", { exact: true }).fill("rf_live_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("not accepted").waitFor();
  await shoot("sign-in-refused");
  await signIn(stage, page);
  await page.getByRole("link", { name: "northwind-us" }).waitFor();
  await shoot("instances", true);
  for (const name of ["northwind-us", "northwind-legacy", "northwind-pilot"]) {
    await page.getByRole("link", { name }).click();
    await page.getByRole("heading", { name: "Limits" }).waitFor();
    await shoot(name, true);
    await page.goBack();
  }
  await page.getByRole("link", { name: "northwind-us" }).click();
  await page.getByRole("button", { name: "Find gaps" }).click();
  await page.getByText("ways round that no whisper").click();
  await shoot("coverage", true);
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await page.getByLabel("Only some").check();
  await page.getByLabel(/Calls are stopped/).check();
  await page.getByLabel("Callbacks").waitFor();
  await shoot("installation-form", true);
  await page.goto(`${stage.url}/instances`);
  await page.getByRole("link", { name: "Decisions", exact: true }).click();
  await page
    .getByRole("link", { name: /, explain$/ })
    .first()
    .waitFor();
  await shoot("decisions");
  await page.goto(`${stage.url}/decisions?outcome=denied`);
  await page
    .getByRole("link", { name: /, explain$/ })
    .first()
    .click();
  await page.getByRole("heading", { name: "Rules" }).waitFor();
  await shoot("decision");
  await page.goto(`${stage.url}/numbers`);
  await page.getByText("Asked not to be called").first().waitFor();
  await shoot("numbers", true);
  await page.getByRole("button", { name: "Block a number" }).click();
  await shoot("numbers-add", true);
  await page.getByRole("button", { name: "Import CSV" }).click();
  await page.getByText("A CSV file whose first line").waitFor();
  await shoot("numbers-import", true);
  await page.getByLabel("Find a number").fill("+1 206 555 0101");
  await page.getByRole("button", { name: "Look up" }).click();
  await page.getByRole("button", { name: "Erase…" }).click();
  await shoot("numbers-look-up", true);
  await page.goto(`${stage.url}/access`);
  await page.getByText("Nightly report").waitFor();
  await shoot("access", true);
  await page.getByRole("button", { name: "Make a key" }).click();
  await page.getByRole("switch", { name: "Only some of what the role may do" }).click();
  await page.getByRole("button", { name: "Add an issuer" }).click();
  await shoot("access-add", true);
  await page.goto(`${stage.url}/usage`);
  await page.getByRole("list", { name: "Months" }).waitFor();
  await shoot("usage", true);
  await page.goto(`${stage.url}/webhooks`);
  await page.getByText("hooks.northwind.example").waitFor();
  await shoot("webhooks", true);
  await page.getByRole("button", { name: "Add a webhook" }).click();
  await shoot("webhooks-add", true);
  await page.getByText("hooks.northwind.example").click();
  await page.getByRole("button", { name: "New secret" }).click();
  await page.getByText("policy.published", { exact: true }).waitFor();
  await page.getByRole("list", { name: "Deliveries" }).getByRole("button").first().click();
  await page.getByLabel("Message").waitFor();
  await shoot("webhook", true);
  await context.close();

  const empty = await visit(stage, { colorScheme, viewport });
  await signIn({ ...stage, key: EMPTY_KEY }, empty.page);
  await empty.page.getByText("Register your first instance").waitFor();
  await empty.page.screenshot({ path: `${folder}/empty-${colorScheme}-${viewport.width}.png` });
  await empty.context.close();
}
