import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { ApiProblem } from "../api/problem";
import type { Role } from "../api/types";
import { useSession } from "../session/session";
import { CopyBlock } from "../ui/Copy";
import { ProblemNotice } from "../ui/Notice";
import classes from "./Members.module.css";
import { givable, invite, MEANINGS } from "./members";

interface Props {
  onInvited: () => void;
  onClose: () => void;
}

export function InviteMember({ onInvited, onClose }: Props) {
  const { api, me } = useSession();
  const [role, setRole] = useState<Role>("viewer");
  const [email, setEmail] = useState("");
  const inviting = useMutation({ mutationFn: () => invite(api, { role, email }), onSuccess: onInvited });
  const faults = inviting.error instanceof ApiProblem ? inviting.error.errors : [];
  const emailFault = faults.find((fault) => fault.pointer === "/email")?.detail;

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!inviting.isPending) inviting.mutate();
  }

  if (inviting.data !== undefined) {
    return (
      <div className={classes.panel} role="status">
        <h2>Pass this link on</h2>
        <p className={classes.text}>
          Ringfence sends no mail. The link works once, for seven days, and is shown only now.
        </p>
        <CopyBlock value={inviting.data.link} what="link" />
        <div className={classes.buttons}>
          <Button onClick={onClose}>Done</Button>
        </div>
      </div>
    );
  }
  return (
    <form className={classes.panel} onSubmit={submit} noValidate aria-labelledby="invite">
      <h2 id="invite">Invite somebody</h2>
      <div className={classes.fields}>
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
          error={emailFault}
        />
      </div>
      {inviting.isError && emailFault === undefined && (
        <ProblemNotice problem={inviting.error} what="Nobody was invited" />
      )}
      <div className={classes.buttons}>
        <Button type="submit" loading={inviting.isPending}>
          Make a link
        </Button>
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
      </div>
    </form>
  );
}
