/** An instance that Ringfence does not know yet; what to deploy stands on its page. */
import { TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { faultAt } from "../api/faults";
import { instanceQuery } from "../api/queries";
import { useSession } from "../session/session";
import { Fields, FormPanel } from "../ui/Panel";
import { register } from "./actions";

export function RegisterInstance({ onClose }: { onClose?: () => void }) {
  const { api } = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [arn, setArn] = useState("");
  const [name, setName] = useState("");
  const registering = useMutation({
    mutationFn: () => register(api, { instance_arn: arn, name }),
    onSuccess: (instance) => {
      client.setQueryData(instanceQuery(api, instance.id).queryKey, instance);
      void client.invalidateQueries({ queryKey: ["instances"] });
      void navigate({ to: "/instances/$instanceId", params: { instanceId: instance.id } });
    },
  });
  return (
    <FormPanel
      title="Register an instance"
      asking={registering}
      submit="Register"
      failure="The instance was not registered"
      onClose={onClose}
    >
      <Fields>
        <TextInput
          label="ARN"
          description="In the Amazon Connect console, under Account overview"
          placeholder="arn:aws:connect:us-east-1:111122223333:instance/…"
          autoComplete="off"
          spellCheck={false}
          autoFocus
          value={arn}
          onChange={(event) => setArn(event.currentTarget.value)}
          error={faultAt(registering.error, "instance_arn")}
        />
        <TextInput
          label="Name"
          description="What you call it; empty: its id"
          placeholder="Collections, east"
          maxLength={200}
          autoComplete="off"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={faultAt(registering.error, "name")}
        />
      </Fields>
    </FormPanel>
  );
}
