/** What axe finds wrong with a page. */
import { source as axeSource } from "axe-core";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const results = (await page.evaluate("axe.run(document)")) as AxeResults;
  const found = results.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`);
  return [...found, ...invisible(results)];
}

/** Text in the very colour of its ground is one of the things that axe leaves to people. */
function invisible({ incomplete }: AxeResults): string[] {
  const doubtful = incomplete.filter(({ id }) => id === "color-contrast").flatMap(({ nodes }) => nodes);
  return doubtful
    .filter(({ any }) => any.some(({ data }) => (data as { messageKey?: string } | null)?.messageKey === "equalRatio"))
    .map(({ html }) => `invisible text: ${html}`);
}
