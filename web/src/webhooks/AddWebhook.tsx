/** A new webhook: its address, what it is told, and then its secret, once. */
import { Checkbox, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { faultAt } from "../api/faults";
import type { Webhook } from "../api/types";
import { useSession } from "../session/session";
import { Choice } from "../ui/Choice";
import { Choices, FormPanel } from "../ui/Panel";
import { ShownOnce } from "../ui/ShownOnce";
import { addWebhook, EVENTS, type EventName, SECRET_TEXT } from "./webhooks";

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
  if (adding.data !== undefined) {
    return (
      <ShownOnce title="The webhook is added" value={adding.data.secret} what="signing secret" onClose={onClose}>
        {SECRET_TEXT}
      </ShownOnce>
    );
  }
  return (
    <FormPanel title="Add a webhook" asking={adding} submit="Add" failure="The webhook was not added" onClose={onClose}>
      <TextInput
        label="Address"
        description="https, reachable from the internet"
        placeholder="https://hooks.example.com/ringfence"
        type="url"
        autoComplete="off"
        autoFocus
        value={url}
        onChange={(event) => setUrl(event.currentTarget.value)}
        error={faultAt(adding.error, "url")}
      />
      <Checkbox.Group
        label="Events"
        value={events}
        onChange={(chosen) => setEvents(chosen as EventName[])}
        error={faultAt(adding.error, "events")}
      >
        <Choices>
          {EVENTS.map(({ name, when }) => (
            <Checkbox key={name} value={name} label={when} description={name} />
          ))}
        </Choices>
      </Checkbox.Group>
      <Choice
        label="Customers’ numbers"
        options={{ masked: "Masked, as +12•••••••00", full: "In full" }}
        value={numbers}
        onChange={setNumbers}
      />
    </FormPanel>
  );
}
