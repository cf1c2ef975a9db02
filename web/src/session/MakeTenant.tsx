/** Another tenant, by an operator, who is then shown it. */
import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import type { Api } from "../api/client";
import { faultAt } from "../api/faults";
import { FormPanel } from "../ui/Panel";
import { makeTenant } from "./tenants";

interface Props {
  api: Api;
  isFirst: boolean;
  onMade: (tenantId: string) => void;
}

export function MakeTenant({ api, isFirst, onMade }: Props) {
  const [isOpen, setOpen] = useState(isFirst);
  const [name, setName] = useState("");
  const making = useMutation({ mutationFn: () => makeTenant(api, name), onSuccess: ({ id }) => onMade(id) });
  if (!isOpen) {
    return (
      <Button variant="default" onClick={() => setOpen(true)}>
        Make a tenant
      </Button>
    );
  }
  return (
    <FormPanel
      title="Make a tenant"
      asking={making}
      submit="Make"
      failure="The tenant was not made"
      onClose={isFirst ? undefined : () => setOpen(false)}
    >
      <TextInput
        label="Name"
        description="The organisation whose calls are limited"
        placeholder="Northwind Collections"
        maxLength={200}
        autoComplete="off"
        autoFocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={faultAt(making.error, "name")}
      />
    </FormPanel>
  );
}
