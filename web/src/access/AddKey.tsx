/** A new key: its role, perhaps narrowed, perhaps for a time; then the key itself, once. */
import { Checkbox, NativeSelect, Switch, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { faultAt } from "../api/faults";
import type { Permission, Role } from "../api/types";
import { givable, MEANINGS } from "../session/roles";
import { useSession } from "../session/session";
import { Choices, Fields, FormPanel } from "../ui/Panel";
import { ShownOnce } from "../ui/ShownOnce";
import { makeKey, PERMISSIONS, permissionsOf } from "./keys";

interface Props {
  onMade: () => void;
  onClose: () => void;
}

export function AddKey({ onMade, onClose }: Props) {
  const { api, me } = useSession();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [until, setUntil] = useState("");
  const [scopes, setScopes] = useState<Permission[] | null>(null);
  const making = useMutation({
    mutationFn: () =>
      makeKey(api, { name, role, scopes, expires_at: until === "" ? null : new Date(until).toISOString() }),
    onSuccess: onMade,
  });
  if (making.data !== undefined) {
    return (
      <ShownOnce title="The key is made" value={making.data.key} what="key" onClose={onClose}>
        Copy it now: it is not kept and cannot be shown again.
      </ShownOnce>
    );
  }
  return (
    <FormPanel title="Make a key" asking={making} submit="Make" failure="No key was made" onClose={onClose}>
      <Fields>
        <TextInput
          label="Name"
          description="Which program it is for"
          placeholder="Dialler"
          maxLength={200}
          autoComplete="off"
          autoFocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={faultAt(making.error, "name")}
        />
        <NativeSelect
          label="Role"
          description={MEANINGS[role]}
          value={role}
          data={givable(me)}
          onChange={(event) => {
            setRole(event.currentTarget.value as Role);
            setScopes(null);
          }}
          error={faultAt(making.error, "role")}
        />
        <TextInput
          label="Expires"
          description="In your time; empty: when it is revoked"
          type="datetime-local"
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
          error={faultAt(making.error, "expires_at")}
        />
      </Fields>
      <Switch
        label="Only some of what the role may do"
        checked={scopes !== null}
        onChange={(event) => setScopes(event.currentTarget.checked ? [] : null)}
      />
      {scopes !== null && (
        <Checkbox.Group
          label="Permissions"
          value={scopes}
          onChange={(chosen) => setScopes(chosen as Permission[])}
          error={faultAt(making.error, "scopes")}
        >
          <Choices>
            {permissionsOf(role).map((permission) => (
              <Checkbox
                key={permission}
                value={permission}
                label={PERMISSIONS[permission].text}
                description={permission}
              />
            ))}
          </Choices>
        </Checkbox.Group>
      )}
    </FormPanel>
  );
}
