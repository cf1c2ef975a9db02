/** Says whether what is on the screen is the present, and lets the viewer hold it still. */
import { Button } from "@mantine/core";

import { Icon } from "../ui/Icon";
import classes from "./LiveSwitch.module.css";

interface Props {
  paused: boolean;
  problem: Error | null;
  onChange: (paused: boolean) => void;
}

export function LiveSwitch({ paused, problem, onChange }: Props) {
  const state = paused ? "paused" : problem === null ? "live" : "trouble";
  return (
    <div className={classes.bar}>
      <span className={classes.state} data-state={state} role="status">
        <span className={classes.dot} aria-hidden="true" />
        {state === "live" && "Live"}
        {state === "paused" && "Paused"}
        {state === "trouble" && "Not live, trying again"}
      </span>
      <Button
        variant="default"
        size="xs"
        leftSection={<Icon name={paused ? "play" : "pause"} size={14} />}
        onClick={() => onChange(!paused)}
      >
        {paused ? "Resume" : "Pause"}
      </Button>
    </div>
  );
}
