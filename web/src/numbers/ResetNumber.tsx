/** Lets what is counted for a number begin anew. */
import { TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { faultAt } from "../api/faults";
import { useSession } from "../session/session";
import { FormPanel, PanelText } from "../ui/Panel";
import { resetNumber, resetTexts } from "./standing";

interface Props {
  number: string;
  names: ReadonlyMap<string, string>;
  onReset: () => void;
  onClose: () => void;
}

export function ResetNumber({ number, names, onReset, onClose }: Props) {
  const { api } = useSession();
  const [reason, setReason] = useState("");
  const resetting = useMutation({
    mutationFn: () => resetNumber(api, number, reason),
    onSuccess: onReset,
  });
  return (
    <FormPanel
      title="Reset what is counted for this number"
      asking={resetting}
      submit="Reset"
      failure="The number was not reset"
      onClose={onClose}
    >
      <PanelText>
        At every instance the rules that count per customer begin anew: the next call to this number is the first. What
        is counted otherwise stays.
      </PanelText>
      <TextInput
        label="Reason"
        description="Kept in the audit log; without the number, which is shown masked there"
        placeholder="Called by mistake while testing"
        maxLength={200}
        autoFocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={faultAt(resetting.error, "reason")}
      />
      {resetting.data !== undefined &&
        resetTexts(resetting.data, names).map((text) => (
          <PanelText key={text} isNews>
            {text}
          </PanelText>
        ))}
    </FormPanel>
  );
}
