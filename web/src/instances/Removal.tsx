/** Takes Ringfence out of an instance, and then the instance out of Ringfence. */
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import type { Instance } from "../api/types";
import { mayManage } from "../session/roles";
import { useSession } from "../session/session";
import { ConfirmButton } from "../ui/ConfirmButton";
import { ProblemNotice } from "../ui/Notice";
import { Section } from "../ui/Page";
import { FormPanel, PanelText } from "../ui/Panel";
import { forgetInstance, uninstall } from "./actions";
import { mayInstall } from "./installing";
import classes from "./Lists.module.css";

export function Removal({ instance }: { instance: Instance }) {
  const { me } = useSession();
  const state = instance.installation_state;
  if (state === "uninstalled") return mayManage(me) ? <Forget instance={instance} /> : null;
  return mayInstall(me) && state !== "uninstalling" ? <Uninstall instance={instance} /> : null;
}

function Uninstall({ instance }: { instance: Instance }) {
  const { api } = useSession();
  const client = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const removing = useMutation({
    mutationFn: () => uninstall(api, instance.id),
    onSuccess: async () => {
      setOpen(false);
      await client.invalidateQueries({ queryKey: ["installation", instance.id] });
      await client.invalidateQueries({ queryKey: ["instance", instance.id] });
    },
  });
  if (!isOpen) {
    return (
      <Section title="Removal">
        <div className={classes.look}>
          <p className={classes.none}>Every queue can get back what it played before.</p>
          <Button variant="default" size="xs" onClick={() => setOpen(true)}>
            Remove Ringfence
          </Button>
        </div>
      </Section>
    );
  }
  const mutate = () => {
    if (typed.trim() === instance.name) removing.mutate();
    else setFault(`Type ${instance.name} to go on.`);
  };
  return (
    <FormPanel
      title={`Remove Ringfence from ${instance.name}`}
      asking={{ ...removing, mutate }}
      submit="Remove"
      failure="Ringfence was not removed"
      onClose={() => setOpen(false)}
    >
      <PanelText>
        Every queue gets back what it played before, and our flows are deleted. From then on no call of this instance is
        limited.
      </PanelText>
      <TextInput
        label="Name of the instance"
        description="So that it is not another one"
        autoComplete="off"
        autoFocus
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setFault(null);
        }}
        error={fault}
      />
    </FormPanel>
  );
}

/** Only where nothing is installed. */
function Forget({ instance }: { instance: Instance }) {
  const { api } = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const forgetting = useMutation({
    mutationFn: () => forgetInstance(api, instance.id),
    onSuccess: async () => {
      await navigate({ to: "/instances" });
      await client.invalidateQueries({ queryKey: ["instances"] });
    },
  });
  return (
    <Section title="Removal">
      {forgetting.isError && <ProblemNotice problem={forgetting.error} what="The instance was not deleted" />}
      <div className={classes.look}>
        <p className={classes.none}>
          Nothing is installed here. Ringfence can forget the instance; the stack in your account is then yours to
          delete.
        </p>
        <ConfirmButton
          ask="Delete instance"
          confirm="Really delete"
          busy={forgetting.isPending}
          onConfirm={() => forgetting.mutate()}
        />
      </div>
    </Section>
  );
}
