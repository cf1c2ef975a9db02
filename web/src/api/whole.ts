/** Lists that are short enough to be read whole, page by page. */

interface PageOf<T> {
  data: T[];
  next_cursor?: string | null;
}

export interface PageQuery {
  limit: number;
  cursor?: string;
}

const PAGE = 100;

export async function whole<T>(read: (query: PageQuery) => Promise<PageOf<T>>): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    all.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}
