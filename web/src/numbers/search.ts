/** What the address of the numbers page says: which of the two lists is shown. Numbers never stand in an address. */
export type ListName = "blocks" | "exemptions";

export interface NumberSearch {
  list: ListName;
}

export function readNumberSearch(search: Record<string, unknown>): NumberSearch {
  return { list: search["list"] === "exemptions" ? "exemptions" : "blocks" };
}
