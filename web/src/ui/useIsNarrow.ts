import { useMediaQuery } from "@mantine/hooks";

/** Where tables become cards. Known at the first render, so nothing jumps. */
export function useIsNarrow(): boolean {
  return useMediaQuery("(max-width: 47.99em)", undefined, { getInitialValueInEffect: false });
}
