import { Tooltip } from "@mantine/core";

import { localTime, utcTime } from "../text/time";
import { useMinute } from "./now";

/** In the viewer's zone, with UTC on hover. */
export function Time({ at }: { at: string }) {
  const now = useMinute();
  return (
    <Tooltip label={utcTime(at)}>
      <time className="figures" dateTime={at}>
        {localTime(at, now)}
      </time>
    </Tooltip>
  );
}
