import { NativeSelect, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { faultAt } from "../api/faults";
import type { Role } from "../api/types";
import { givable, MEANINGS } from "../session/roles";
import { useSession } from "../session/session";
import { Fields, FormPanel } from "../ui/Panel";
import { ShownOnce } from "../ui/ShownOnce";
import { invite } from "./members";

interface Props {
  onInvited: () => void;
  onClose: () => void;
}

export function InviteMember({ onInvited, onClose }: Props) {
  const { api, me } = useSession();
  const [role, setRole] = useState<Role>("viewer");
  const [email, setEmail] = useState("");
  const inviting = useMutation({ mutationFn: () => invite(api, { role, email }), onSuccess: onInvited });

  if (inviting.data !== undefined) {
    return (
      <ShownOnce title="Pass this link on" value={inviting.data.link} what="link" onClose={onClose}>
        Ringfence sends no mail. The link works once, for seven days, and is shown only now.
      </ShownOnce>
    );
  }
  return (
    <FormPanel
      title="Invite somebody"
      asking={inviting}
      submit="Make a link"
      failure="Nobody was invited"
      onClose={onClose}
    >
      <Fields>
        <NativeSelect
          label="Role"
          description={MEANINGS[role]}
          value={role}
          data={givable(me)}
          onChange={(event) => setRole(event.currentTarget.value as Role)}
        />
        <TextInput
          label="Mail address"
          description="If given, only somebody with this verified address can accept"
          placeholder="ada@example.com"
          type="email"
          autoComplete="off"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          error={faultAt(inviting.error, "email")}
        />
      </Fields>
    </FormPanel>
  );
}
