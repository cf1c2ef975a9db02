/** What axe finds wrong with a page. */
import { source as axeSource } from "axe-core";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const results = (await page.evaluate("axe.run(document)")) as AxeResults;
  return results.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`);
}
