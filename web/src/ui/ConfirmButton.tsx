/** Asks once more in its own place, so that a slip of the finger does nothing. */
import { Button } from "@mantine/core";
import { useState } from "react";

interface Props {
  ask: string;
  confirm: string;
  busy: boolean;
  onConfirm: () => void;
}

export function ConfirmButton({ ask, confirm, busy, onConfirm }: Props) {
  const [asked, setAsked] = useState(false);
  if (!asked) {
    return (
      <Button variant="default" size="xs" onClick={() => setAsked(true)}>
        {ask}
      </Button>
    );
  }
  return (
    <Button size="xs" autoFocus loading={busy} onClick={onConfirm} onBlur={() => setAsked(false)}>
      {confirm}
    </Button>
  );
}
