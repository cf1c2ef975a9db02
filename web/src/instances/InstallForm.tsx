/** What is to be installed: which queues, what becomes of their whispers, and which calls are the limiter's. */
import { Checkbox, TagsInput } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { ApiProblem } from "../api/problem";
import { installationQuery, queuesQuery } from "../api/queries";
import type { Installation, Instance } from "../api/types";
import { useSession } from "../session/session";
import { Choice } from "../ui/Choice";
import { CopyBlock } from "../ui/Copy";
import { ProblemNotice } from "../ui/Notice";
import { FormPanel } from "../ui/Panel";
import classes from "./InstallForm.module.css";
import { type Draft, draftOf, faultOf, install } from "./installing";

const QUEUES = { all: "Every queue, those made later too", some: "Only some" };
const EXISTING_WHISPER = {
  merge: "Check first, then play it as before",
  refuse: "Leave them alone, not limited",
  replace: "Check only; their whisper is off until Ringfence is removed",
};
const DRIFT = { mend: "Mend it", report: "Only report it" };
const UNAVAILABLE = { allow: "Calls go out", deny: "Calls are stopped, by a function in your own account" };

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
  const change = (part: Partial<Draft>) => setDraft((now) => ({ ...now, ...part }));

  return (
    <FormPanel
      title="Install"
      asking={asking}
      submit={installation?.desired == null ? "Install" : "Save"}
      failure="The installation was not asked for"
      onClose={onClose}
    >
      <Choice
        label="Queues"
        options={QUEUES}
        value={draft.every ? "all" : "some"}
        onChange={(chosen) => change({ every: chosen === "all" })}
        error={faultOf(errors, "queues")}
      />
      {!draft.every && (
        <QueueChoice instance={instance} chosen={draft.queues} onChange={(queues) => change({ queues })} />
      )}
      <Choice
        label="Queues with a whisper of their own"
        options={EXISTING_WHISPER}
        value={draft.existingWhisper}
        onChange={(existingWhisper) => change({ existingWhisper })}
        error={faultOf(errors, "existing_whisper")}
      />
      <Choice
        label="When somebody changes what was installed"
        options={DRIFT}
        value={draft.drift}
        onChange={(drift) => change({ drift })}
        error={faultOf(errors, "drift")}
      />
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
      <Choice
        label="When the limiter gives no answer"
        options={UNAVAILABLE}
        value={draft.unavailable}
        onChange={(unavailable) => change({ unavailable })}
        error={faultOf(errors, "on_limiter_unavailable")}
      />
      {draft.unavailable === "deny" && <Fallback instance={instance} />}
    </FormPanel>
  );
}

interface QueueChoiceProps {
  instance: Instance;
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

/** Read from Amazon Connect, a queue a second. */
function QueueChoice({ instance, chosen, onChange }: QueueChoiceProps) {
  const { api } = useSession();
  const queues = useInfiniteQuery(queuesQuery(api, instance.id));
  const { hasNextPage, isFetching, isError, fetchNextPage } = queues;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) {
      void fetchNextPage();
    }
  }, [hasNextPage, isFetching, isError, fetchNextPage]);
  const read = queues.data?.pages.flatMap((page) => page.data) ?? [];
  const goOn = () => void (queues.isFetchNextPageError ? fetchNextPage() : queues.refetch());
  return (
    <>
      {read.length > 0 && (
        <Checkbox.Group aria-label="Chosen queues" value={chosen} onChange={onChange}>
          <div className={classes.queues}>
            {read.map((queue) => (
              <Checkbox
                key={queue.queue_id}
                value={queue.queue_id}
                label={queue.name}
                description={queue.whisper_flow_name ?? "Default outbound"}
              />
            ))}
          </div>
        </Checkbox.Group>
      )}
      {isFetching && (
        <p className={classes.waiting}>
          {read.length === 0
            ? "Reading the queues from Amazon Connect, one a second…"
            : `${read.length} queues so far; reading on, one a second…`}
        </p>
      )}
      {queues.isError && <ProblemNotice problem={queues.error} what="The queues could not be read" onRetry={goOn} />}
    </>
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
