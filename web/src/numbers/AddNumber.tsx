import { TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { faultAt } from "../api/faults";
import { ApiProblem } from "../api/problem";
import { useSession } from "../session/session";
import { sentence } from "../text/sentence";
import { Fields, FormPanel } from "../ui/Panel";
import { addNumber, LISTS } from "./lists";
import type { ListName } from "./search";

interface Props {
  list: ListName;
  onAdded: () => void;
  onClose: () => void;
}

export function AddNumber({ list, onAdded, onClose }: Props) {
  const { api } = useSession();
  const [number, setNumber] = useState("");
  const [reason, setReason] = useState("");
  const [until, setUntil] = useState("");
  const adding = useMutation({
    mutationFn: () =>
      addNumber(api, list, { number, reason, expires_at: until === "" ? null : new Date(until).toISOString() }),
    onSuccess: () => {
      setNumber("");
      onAdded();
    },
  });
  const listed = adding.error instanceof ApiProblem && adding.error.code === "number_listed" ? adding.error : null;

  return (
    <FormPanel
      title={LISTS[list].add}
      asking={adding}
      submit="Add"
      failure={listed === null ? "The number was not added" : null}
      onClose={onClose}
      news={adding.isSuccess ? "Added. Limiters know within seconds." : null}
    >
      <Fields>
        <TextInput
          label="Number"
          description="With its country code"
          placeholder="+12065550100"
          autoComplete="off"
          inputMode="tel"
          autoFocus
          value={number}
          onChange={(event) => setNumber(event.currentTarget.value)}
          error={listed === null ? faultAt(adding.error, "number") : `${sentence(listed.message)}.`}
        />
        <TextInput
          label="Reason"
          description="Kept with the entry and in the audit log"
          placeholder="Asked not to be called"
          maxLength={200}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          error={faultAt(adding.error, "reason")}
        />
        <TextInput
          label="Ends"
          description="In your time; empty: when it is removed"
          type="datetime-local"
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
          error={faultAt(adding.error, "expires_at")}
        />
      </Fields>
    </FormPanel>
  );
}
