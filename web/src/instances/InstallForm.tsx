/** What is to be installed: which queues, what becomes of their whispers, and which calls are the limiter's. */
import { Button, Checkbox, Radio, TagsInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { ApiProblem } from "../api/problem";
import { installationQuery, queuesQuery } from "../api/queries";
import type { Installation, Instance } from "../api/types";
import { useSession } from "../session/session";
import { CopyBlock } from "../ui/Copy";
import { ProblemNotice } from "../ui/Notice";
import classes from "./InstallForm.module.css";
import { type Draft, draftOf, faultOf, install } from "./installing";

interface Props {
  instance: Instance;
  installation: Installation | null;
  onClose?: () => void;
}

export function InstallForm({ instance, installation, onClose }: Props) {
  const { api } = useSession();
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(installation));
  const asking = useMutation({
    mutationFn: () => install(api, instance.id, installation, draft),
    onSuccess: (asked) => {
      client.setQueryData(installationQuery(api, instance.id).queryKey, asked);
      onClose?.();
    },
  });
  const errors = asking.error instanceof ApiProblem ? asking.error.errors : [];
  const isTold = asking.error === null || errors.length > 0;
  const change = (part: Partial<Draft>) => setDraft((now) => ({ ...now, ...part }));

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!asking.isPending) asking.mutate();
  }

  return (
    <form className={classes.form} onSubmit={submit} noValidate aria-label="Install">
      <Radio.Group
        label="Queues"
        value={draft.every ? "all" : "some"}
        onChange={(value) => change({ every: value === "all" })}
        error={faultOf(errors, "queues")}
      >
        <div className={classes.choices}>
          <Radio value="all" label="Every queue, those made later too" />
          <Radio value="some" label="Only some" />
        </div>
      </Radio.Group>
      {!draft.every && (
        <QueueChoice instance={instance} chosen={draft.queues} onChange={(queues) => change({ queues })} />
      )}
      <Radio.Group
        label="Queues with a whisper of their own"
        value={draft.existingWhisper}
        onChange={(value) => change({ existingWhisper: value as Draft["existingWhisper"] })}
        error={faultOf(errors, "existing_whisper")}
      >
        <div className={classes.choices}>
          <Radio value="merge" label="Check first, then play it as before" />
          <Radio value="refuse" label="Leave them alone, not limited" />
          <Radio value="replace" label="Check only; their whisper is off until Ringfence is removed" />
        </div>
      </Radio.Group>
      <Radio.Group
        label="When somebody changes what was installed"
        value={draft.drift}
        onChange={(value) => change({ drift: value as Draft["drift"] })}
        error={faultOf(errors, "drift")}
      >
        <div className={classes.choices}>
          <Radio value="mend" label="Mend it" />
          <Radio value="report" label="Only report it" />
        </div>
      </Radio.Group>
      <TagsInput
        label="Only numbers that begin with"
        description="Empty: every call is checked. Calls to other international numbers are not limited, not blocked and not on record."
        placeholder={draft.prefixes.length === 0 ? "+1" : ""}
        value={draft.prefixes}
        onChange={(prefixes) => change({ prefixes })}
        splitChars={[",", " "]}
        acceptValueOnBlur
        error={faultOf(errors, "prefix_filter")}
      />
      <Radio.Group
        label="When the limiter gives no answer"
        value={draft.unavailable}
        onChange={(value) => change({ unavailable: value as Draft["unavailable"] })}
        error={faultOf(errors, "on_limiter_unavailable")}
      >
        <div className={classes.choices}>
          <Radio value="allow" label="Calls go out" />
          <Radio value="deny" label="Calls are stopped, by a function in your own account" />
        </div>
      </Radio.Group>
      {draft.unavailable === "deny" && <Fallback instance={instance} />}
      {!isTold && <ProblemNotice problem={asking.error} what="The installation was not asked for" />}
      <div className={classes.buttons}>
        <Button type="submit" loading={asking.isPending}>
          {installation?.desired == null ? "Install" : "Save"}
        </Button>
        {onClose !== undefined && (
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        )}
      </div>
    </form>
  );
}

interface ChoiceProps {
  instance: Instance;
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

/** Read from Amazon Connect, a queue a second. */
function QueueChoice({ instance, chosen, onChange }: ChoiceProps) {
  const { api } = useSession();
  const queues = useQuery(queuesQuery(api, instance.id));
  if (queues.isError) {
    return (
      <ProblemNotice problem={queues.error} what="The queues could not be read" onRetry={() => void queues.refetch()} />
    );
  }
  if (queues.data === undefined) {
    return <p className={classes.waiting}>Reading the queues from Amazon Connect, one a second…</p>;
  }
  return (
    <Checkbox.Group aria-label="Chosen queues" value={chosen} onChange={onChange}>
      <div className={classes.queues}>
        {queues.data.map((queue) => (
          <Checkbox
            key={queue.queue_id}
            value={queue.queue_id}
            label={queue.name}
            description={queue.whisper_flow_name ?? "Default outbound"}
          />
        ))}
      </div>
    </Checkbox.Group>
  );
}

function Fallback({ instance: { onboarding, region } }: { instance: Instance }) {
  if (onboarding == null) {
    return (
      <p className={classes.waiting}>
        Somebody who manages instances has to deploy the function in {region} first; they find its command here.
      </p>
    );
  }
  return (
    <div className={classes.fallback}>
      <p>Deploy the function in {region}. Until it is there, calls go out when the limiter gives no answer.</p>
      <CopyBlock what="command" value={onboarding.fallback.cli_command} />
    </div>
  );
}
