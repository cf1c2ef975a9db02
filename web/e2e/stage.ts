/**
 * Where the browser tests run: against `RINGFENCE_E2E_URL` with `RINGFENCE_E2E_API_KEY` when those are set, otherwise
 * against the built dashboard on the mock API, which the stage starts and ends.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { preview, type PreviewServer } from "vite";

import { MOCK_KEY } from "./mock/fixtures";

const BROWSERS = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/google-chrome"];
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const WIDE = { width: 1280, height: 860 };
export const NARROW = { width: 375, height: 740 };

export interface Stage {
  url: string;
  key: string;
  /** Where one instance's region never answers, and an erasure is over at the second look. */
  isMock: boolean;
  browser: Browser;
  close: () => Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const given = process.env["RINGFENCE_E2E_URL"];
  const server = given === undefined ? await serveMock() : undefined;
  const url = given ?? server?.resolvedUrls?.local[0];
  if (url === undefined) throw new Error("the mock has no address");
  const key = given === undefined ? MOCK_KEY : process.env["RINGFENCE_E2E_API_KEY"];
  if (key === undefined) throw new Error("RINGFENCE_E2E_URL is set, RINGFENCE_E2E_API_KEY is not");

  const executablePath = BROWSERS.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) throw new Error("no Chromium found; install it or name it in CHROMIUM");
  const browser = await chromium.launch({ executablePath, args: QUIET });
  const close = async () => {
    await browser.close();
    await server?.close();
  };
  return { url: url.replace(/\/$/, ""), key, isMock: given === undefined, browser, close };
}

async function serveMock(): Promise<PreviewServer> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  if (!existsSync(`${root}/dist/index.html`)) throw new Error("nothing is built: npm run build");
  return preview({ root, configFile: `${root}/e2e/mock/vite.config.ts`, preview: { port: 0 }, logLevel: "warn" });
}

export interface Look {
  viewport?: { width: number; height: number };
  colorScheme?: "light" | "dark";
}

export interface Visit {
  page: Page;
  context: BrowserContext;
  /** Console errors, uncaught exceptions and refused contents, as the browser told them. */
  complaints: string[];
}

export async function visit(stage: Stage, look: Look = {}): Promise<Visit> {
  const context = await stage.browser.newContext({
    viewport: look.viewport ?? WIDE,
    colorScheme: look.colorScheme ?? "light",
    timezoneId: "America/New_York",
    locale: "en-US",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${message.text()} ${message.location().url}`);
  });
  return { page, context, complaints };
}

export async function signIn(stage: Stage, page: Page, path = "/"): Promise<void> {
  await page.goto(stage.url + path);
  await page.getByLabel("API key", { exact: true }).fill(stage.key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
}
