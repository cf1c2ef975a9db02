/** The tenant's keys, and what can be done with each. */
import { Button, NativeSelect, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { ApiKey } from "../api/types";
import { mayTouch } from "../session/roles";
import { useSession } from "../session/session";
import { ConfirmButton } from "../ui/ConfirmButton";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Section } from "../ui/Page";
import { Buttons, FormPanel, PanelText } from "../ui/Panel";
import rows from "../ui/Rows.module.css";
import { ShownOnce } from "../ui/ShownOnce";
import { Time } from "../ui/Time";
import classes from "./Access.module.css";
import { AddKey } from "./AddKey";
import { keysQuery, OVERLAPS, revokeKey, rotateKey, scopesText } from "./keys";

export function Keys() {
  const { api } = useSession();
  const client = useQueryClient();
  const [adding, setAdding] = useState(false);
  const keys = useQuery(keysQuery(api));
  const changed = () => void client.invalidateQueries({ queryKey: ["api-keys"] });
  const add = adding ? undefined : (
    <Button size="xs" onClick={() => setAdding(true)}>
      Make a key
    </Button>
  );
  return (
    <Section title="API keys" aside={add}>
      <div className={classes.stack}>
        {adding && <AddKey onMade={changed} onClose={() => setAdding(false)} />}
        {keys.isError && (
          <ProblemNotice problem={keys.error} what="The keys could not be read" onRetry={() => void keys.refetch()} />
        )}
        {keys.isPending && <Skeleton height={56} aria-hidden="true" />}
        {keys.data !== undefined && <Rows keys={keys.data} onChanged={changed} />}
      </div>
    </Section>
  );
}

function Rows({ keys, onChanged }: { keys: ApiKey[]; onChanged: () => void }) {
  const { api } = useSession();
  const [rotating, setRotating] = useState<ApiKey>();
  const revoking = useMutation({ mutationFn: (id: string) => revokeKey(api, id), onSettled: onChanged });
  if (keys.length === 0) {
    return (
      <Empty title="There is no key">
        <p>A program sends its key with each request. Make one for each program, so that each can be changed alone.</p>
      </Empty>
    );
  }
  return (
    <>
      {revoking.isError && <ProblemNotice problem={revoking.error} what="The key was not revoked" />}
      {rotating !== undefined && (
        <Rotate key={rotating.id} of={rotating} onRotated={onChanged} onClose={() => setRotating(undefined)} />
      )}
      <ul className={rows.list} aria-label="API keys">
        {keys.map((key) => (
          <li key={key.id}>
            <What of={key} />
            <span className={rows.role}>{key.role}</span>
            <Deeds
              of={key}
              onRotate={() => setRotating(key)}
              onRevoke={() => revoking.mutate(key.id)}
              busy={revoking.isPending}
            />
          </li>
        ))}
      </ul>
    </>
  );
}

function What({ of: key }: { of: ApiKey }) {
  return (
    <div className={rows.who}>
      <span className={rows.name}>
        {key.name} <span className={`${rows.small} mono`}>{key.prefix}…</span>
      </span>
      <span className={rows.small}>{scopesText(key)}</span>
      <span className={rows.small}>
        {key.last_used_at == null ? (
          "Never used"
        ) : (
          <>
            Used <Time at={key.last_used_at} />
          </>
        )}
        {key.expires_at != null && (
          <>
            {" · "}expires <Time at={key.expires_at} />
          </>
        )}
        {key.previous_until != null && (
          <>
            {" · "}former secret until <Time at={key.previous_until} />
          </>
        )}
      </span>
    </div>
  );
}

interface DeedsProps {
  of: ApiKey;
  onRotate: () => void;
  onRevoke: () => void;
  busy: boolean;
}

function Deeds({ of: key, onRotate, onRevoke, busy }: DeedsProps) {
  const { me } = useSession();
  if (!mayTouch(me, key)) return null;
  return (
    <Buttons>
      <Button variant="default" size="xs" onClick={onRotate}>
        New secret
      </Button>
      <ConfirmButton ask="Revoke" confirm="Really revoke" busy={busy} onConfirm={onRevoke} />
    </Buttons>
  );
}

interface RotateProps {
  of: ApiKey;
  onRotated: () => void;
  onClose: () => void;
}

function Rotate({ of: key, onRotated, onClose }: RotateProps) {
  const { api } = useSession();
  const [overlap, setOverlap] = useState("86400");
  const rotating = useMutation({
    mutationFn: () => rotateKey(api, key.id, Number(overlap)),
    onSuccess: onRotated,
  });
  if (rotating.data !== undefined) {
    return (
      <ShownOnce title={`The new secret of ${key.name}`} value={rotating.data.key} what="key" onClose={onClose}>
        Copy it now: it is not kept and cannot be shown again.
      </ShownOnce>
    );
  }
  return (
    <FormPanel
      title={`A new secret for ${key.name}`}
      asking={rotating}
      submit="Make a new secret"
      failure="The secret was not changed"
      onClose={onClose}
    >
      <PanelText>Both work for a while, so that no request fails while you change your program.</PanelText>
      <NativeSelect
        label="The secret before"
        data={OVERLAPS}
        value={overlap}
        onChange={(event) => setOverlap(event.currentTarget.value)}
      />
    </FormPanel>
  );
}
