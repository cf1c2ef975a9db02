/** A new webhook: its address, what it is told, and then its secret, once. */
import { Button, Checkbox, Radio, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { ApiProblem } from "../api/problem";
import type { Webhook } from "../api/types";
import { useSession } from "../session/session";
import { ProblemNotice } from "../ui/Notice";
import { Secret } from "./Secret";
import { addWebhook, EVENTS, type EventName } from "./webhooks";
import classes from "./Webhooks.module.css";

interface Props {
  onAdded: () => void;
  onClose: () => void;
}

export function AddWebhook({ onAdded, onClose }: Props) {
  const { api } = useSession();
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState<EventName[]>([]);
  const [numbers, setNumbers] = useState<Webhook["customer_numbers"]>("masked");
  const adding = useMutation({
    mutationFn: () => addWebhook(api, { url, events, customer_numbers: numbers }),
    onSuccess: onAdded,
  });
  const problem = adding.error instanceof ApiProblem ? adding.error : null;
  const faultOf = (field: string) => {
    const detail = problem?.errors.find((fault) => fault.pointer === `/${field}`)?.detail;
    return detail === undefined ? null : `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`;
  };
  const isTold = adding.error === null || (problem !== null && problem.errors.length > 0);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!adding.isPending) adding.mutate();
  }

  if (adding.data !== undefined) {
    return <Secret title="The webhook is added" secret={adding.data.secret} onClose={onClose} />;
  }
  return (
    <form className={classes.panel} onSubmit={submit} noValidate aria-labelledby="add-webhook">
      <h2 id="add-webhook">Add a webhook</h2>
      <TextInput
        label="Address"
        description="https, reachable from the internet"
        placeholder="https://hooks.example.com/ringfence"
        type="url"
        autoComplete="off"
        autoFocus
        value={url}
        onChange={(event) => setUrl(event.currentTarget.value)}
        error={faultOf("url")}
      />
      <Checkbox.Group
        label="Events"
        value={events}
        onChange={(chosen) => setEvents(chosen as EventName[])}
        error={faultOf("events")}
      >
        <div className={classes.choices}>
          {EVENTS.map(({ name, when }) => (
            <Checkbox key={name} value={name} label={when} description={name} />
          ))}
        </div>
      </Checkbox.Group>
      <Radio.Group
        label="Customers' numbers"
        value={numbers}
        onChange={(chosen) => setNumbers(chosen as Webhook["customer_numbers"])}
      >
        <div className={classes.choices}>
          <Radio value="masked" label="Masked, as +12•••••••00" />
          <Radio value="full" label="In full" />
        </div>
      </Radio.Group>
      {!isTold && <ProblemNotice problem={adding.error} what="The webhook was not added" />}
      <div className={classes.buttons}>
        <Button type="submit" loading={adding.isPending}>
          Add
        </Button>
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
      </div>
    </form>
  );
}
