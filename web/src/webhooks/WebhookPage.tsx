/** One webhook: what it is, what can be done with it, and what was sent there. */
import { Button, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import type { Webhook } from "../api/types";
import { useSession } from "../session/session";
import { Badge } from "../ui/Badge";
import { ProblemNotice } from "../ui/Notice";
import { Page, Section } from "../ui/Page";
import { Buttons } from "../ui/Panel";
import { ShownOnce } from "../ui/ShownOnce";
import { Time } from "../ui/Time";
import { Deliveries } from "./Deliveries";
import {
  changeWebhook,
  deleteWebhook,
  rotateSecret,
  SECRET_TEXT,
  sendTest,
  webhookQuery,
  webhookState,
} from "./webhooks";
import classes from "./Webhooks.module.css";

export function WebhookPage({ id }: { id: string }) {
  const { api } = useSession();
  const webhook = useQuery(webhookQuery(api, id));
  const above = (
    <Link to="/webhooks" className={classes.back}>
      All webhooks
    </Link>
  );
  if (webhook.data === undefined) {
    return (
      <Page title="Webhook" above={above}>
        {webhook.isError ? (
          <ProblemNotice
            problem={webhook.error}
            what="The webhook could not be read"
            onRetry={() => void webhook.refetch()}
          />
        ) : (
          <Skeleton height={120} aria-hidden="true" />
        )}
      </Page>
    );
  }
  return (
    <Page title="Webhook" above={above} under={<span className={classes.url}>{webhook.data.url}</span>}>
      <Facts webhook={webhook.data} />
      <Actions webhook={webhook.data} />
      <Section title="Deliveries">
        <Deliveries webhook={webhook.data} />
      </Section>
    </Page>
  );
}

function Facts({ webhook }: { webhook: Webhook }) {
  const state = webhookState(webhook);
  return (
    <dl className={classes.facts}>
      <dt>State</dt>
      <dd>
        <Badge tone={state.tone}>{state.text}</Badge>
        {webhook.failing_since != null && (
          <>
            {" "}
            since <Time at={webhook.failing_since} />
          </>
        )}
      </dd>
      <dt>Told of</dt>
      <dd>{webhook.events.join(", ")}</dd>
      <dt>Customers&rsquo; numbers</dt>
      <dd>{webhook.customer_numbers === "masked" ? "Masked" : "In full"}</dd>
      {webhook.former_secret_until != null && (
        <>
          <dt>Former secret</dt>
          <dd>
            Signs until <Time at={webhook.former_secret_until} />
          </dd>
        </>
      )}
    </dl>
  );
}

function Actions({ webhook }: { webhook: Webhook }) {
  const { api } = useSession();
  const { id } = webhook;
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asked, setAsked] = useState(false);
  const changed = () => {
    void client.invalidateQueries({ queryKey: ["webhook", id] });
    void client.invalidateQueries({ queryKey: ["webhooks"] });
    void client.invalidateQueries({ queryKey: ["deliveries", id] });
  };
  const enabled = webhook.state === "enabled";
  const test = useMutation({ mutationFn: () => sendTest(api, id), onSettled: changed });
  const turn = useMutation({
    mutationFn: () => changeWebhook(api, id, { state: enabled ? "disabled" : "enabled" }),
    onSettled: changed,
  });
  const rotation = useMutation({ mutationFn: () => rotateSecret(api, id), onSettled: changed });
  const removal = useMutation({
    mutationFn: () => deleteWebhook(api, id),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["webhooks"] });
      void navigate({ to: "/webhooks" });
    },
  });
  const failed = [test, turn, rotation, removal].find((action) => action.isError);
  return (
    <>
      <Buttons>
        <Button disabled={!enabled} loading={test.isPending} onClick={() => test.mutate()}>
          Send a test message
        </Button>
        <Button variant="default" loading={rotation.isPending} onClick={() => rotation.mutate()}>
          New secret
        </Button>
        <Button variant="default" loading={turn.isPending} onClick={() => turn.mutate()}>
          {enabled ? "Disable" : "Enable"}
        </Button>
        <Button
          variant="default"
          loading={removal.isPending}
          onClick={() => (asked ? removal.mutate() : setAsked(true))}
          onBlur={() => setAsked(false)}
        >
          {asked ? "Really delete" : "Delete"}
        </Button>
      </Buttons>
      {failed !== undefined && <ProblemNotice problem={failed.error} what="That did not work" />}
      {rotation.data !== undefined && (
        <ShownOnce
          title="The new secret signs from now on, for a day beside the former one"
          value={rotation.data.secret}
          what="signing secret"
          onClose={() => rotation.reset()}
        >
          {SECRET_TEXT}
        </ShownOnce>
      )}
    </>
  );
}
