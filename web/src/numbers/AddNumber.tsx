import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { ApiProblem } from "../api/problem";
import { useSession } from "../session/session";
import { ProblemNotice } from "../ui/Notice";
import { addNumber, LISTS } from "./lists";
import classes from "./Panel.module.css";
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
  const problem = adding.error instanceof ApiProblem ? adding.error : null;
  const faultOf = (field: string) => problem?.errors.find((fault) => fault.pointer === `/${field}`)?.detail ?? null;
  const isListed = problem?.code === "number_listed";
  const isTold = problem === null ? adding.error === null : isListed || problem.errors.length > 0;

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!adding.isPending) adding.mutate();
  }

  return (
    <form className={classes.panel} onSubmit={submit} noValidate aria-labelledby="add-number">
      <h2 id="add-number">{LISTS[list].add}</h2>
      <div className={classes.fields}>
        <TextInput
          label="Number"
          description="With its country code"
          placeholder="+12065550100"
          autoComplete="off"
          inputMode="tel"
          autoFocus
          value={number}
          onChange={(event) => setNumber(event.currentTarget.value)}
          error={isListed ? sentence(problem.message) : capital(faultOf("number"))}
        />
        <TextInput
          label="Reason"
          description="Kept with the entry and in the audit log"
          placeholder="Asked not to be called"
          maxLength={200}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          error={capital(faultOf("reason"))}
        />
        <TextInput
          label="Ends"
          description="In your time; empty: when it is removed"
          type="datetime-local"
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
          error={capital(faultOf("expires_at"))}
        />
      </div>
      {!isTold && <ProblemNotice problem={adding.error} what="The number was not added" />}
      <div className={classes.buttons}>
        <Button type="submit" loading={adding.isPending}>
          Add
        </Button>
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        {adding.isSuccess && (
          <p className={classes.done} role="status">
            Added. Limiters know within seconds.
          </p>
        )}
      </div>
    </form>
  );
}

function capital(text: string | null): string | null {
  return text === null ? null : sentence(text);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
