import { CopyButton, Tooltip, UnstyledButton } from "@mantine/core";

import classes from "./Copy.module.css";
import { Icon } from "./Icon";

interface CopyProps {
  value: string;
  /** What is copied: "ARN", "command". */
  what: string;
}

export function Copy({ value, what }: CopyProps) {
  return (
    <CopyButton value={value} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : `Copy ${what}`} position="top">
          <UnstyledButton
            className={classes.copy}
            aria-label={`Copy ${what}`}
            data-copied={copied || undefined}
            onClick={copy}
          >
            <Icon name={copied ? "check" : "copy"} size={16} />
            <span className="visually-hidden" aria-live="polite">
              {copied ? "Copied" : ""}
            </span>
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** A command or a text to take elsewhere, whole, with its copy button. */
export function CopyBlock({ value, what }: CopyProps) {
  return (
    <div className={classes.block}>
      <pre tabIndex={0} role="group" aria-label={what}>
        {value}
      </pre>
      <Copy value={value} what={what} />
    </div>
  );
}
