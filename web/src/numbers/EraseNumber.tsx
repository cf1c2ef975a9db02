/** Erases a number, once it has been typed again, and shows how far that is. */
import { Checkbox, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import type { NumberErasure } from "../api/types";
import { useSession } from "../session/session";
import { ProblemNotice } from "../ui/Notice";
import { FormPanel, Panel, PanelText } from "../ui/Panel";
import { eraseNumber, erasureQuery, erasureText, isSameNumber, keptTexts } from "./standing";

interface Props {
  number: string;
  isListed: boolean;
  onErased: () => void;
  onClose: () => void;
}

export function EraseNumber({ number, isListed, onErased, onClose }: Props) {
  const { api } = useSession();
  const [typed, setTyped] = useState("");
  const [unlist, setUnlist] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const erasing = useMutation({
    mutationFn: () => eraseNumber(api, number, isListed && unlist),
    onSuccess: onErased,
  });
  if (erasing.data !== undefined) return <Progress begun={erasing.data} />;
  const mutate = () => {
    if (isSameNumber(typed, number)) erasing.mutate();
    else setFault("Type the whole number, with its country code.");
  };
  return (
    <FormPanel
      title="Erase this number"
      asking={{ ...erasing, mutate }}
      submit="Erase"
      failure="The number was not erased"
      onClose={onClose}
    >
      <PanelText>
        It is taken out of every decision and of what limiters keep, for good. Figures stay. Its limits begin anew, so
        block it if it is not to be called again.
      </PanelText>
      <TextInput
        label="The number"
        description="Once more, so that it is not another one"
        autoComplete="off"
        inputMode="tel"
        autoFocus
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setFault(null);
        }}
        error={fault}
      />
      {isListed && (
        <Checkbox
          label="Take it off its list too"
          description="Otherwise its entry stays, and goes on being followed"
          checked={unlist}
          onChange={(event) => setUnlist(event.currentTarget.checked)}
        />
      )}
    </FormPanel>
  );
}

function Progress({ begun }: { begun: NumberErasure }) {
  const { api } = useSession();
  const read = useQuery(erasureQuery(api, begun.id));
  const erasure = read.data ?? begun;
  return (
    <Panel title="Erasure">
      <PanelText isNews>{erasureText(erasure)}</PanelText>
      {read.isError && <ProblemNotice problem={read.error} what="How far it is could not be read" />}
      <PanelText>What stays: {keptTexts(erasure).join(" ")}</PanelText>
    </Panel>
  );
}
