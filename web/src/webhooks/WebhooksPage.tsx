/** Where the tenant's own systems are told what happens. */
import { Button, Skeleton } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Webhook } from "../api/types";
import { mayManage } from "../session/roles";
import { useSession } from "../session/session";
import { Badge } from "../ui/Badge";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Page } from "../ui/Page";
import { AddWebhook } from "./AddWebhook";
import { webhooksQuery, webhookState } from "./webhooks";
import classes from "./Webhooks.module.css";

const LEAD = "Your own systems are told what happens, by signed messages.";

export function WebhooksPage() {
  const { me } = useSession();
  const client = useQueryClient();
  const [adding, setAdding] = useState(false);
  if (!mayManage(me)) {
    return (
      <Page title="Webhooks" lead={LEAD}>
        <Empty title="Webhooks are for admins and owners">
          <p>Ask an owner of this tenant for one of these roles.</p>
        </Empty>
      </Page>
    );
  }
  const add = adding ? undefined : <Button onClick={() => setAdding(true)}>Add a webhook</Button>;
  return (
    <Page title="Webhooks" lead={LEAD} actions={add}>
      {adding && (
        <AddWebhook
          onAdded={() => void client.invalidateQueries({ queryKey: ["webhooks"] })}
          onClose={() => setAdding(false)}
        />
      )}
      <Rows adding={adding} />
    </Page>
  );
}

function Rows({ adding }: { adding: boolean }) {
  const { api } = useSession();
  const webhooks = useQuery(webhooksQuery(api));
  if (webhooks.data === undefined) {
    if (!webhooks.isError) return <Skeleton height={56} aria-hidden="true" />;
    return (
      <ProblemNotice
        problem={webhooks.error}
        what="The webhooks could not be read"
        onRetry={() => void webhooks.refetch()}
      />
    );
  }
  if (webhooks.data.length === 0) {
    if (adding) return null;
    return (
      <Empty title="There is no webhook yet">
        <p>Add the address of a system of yours, and choose what it is told.</p>
      </Empty>
    );
  }
  return (
    <ul className={classes.rows} aria-label="Webhooks">
      {webhooks.data.map((webhook) => (
        <Row key={webhook.id} webhook={webhook} />
      ))}
    </ul>
  );
}

function Row({ webhook }: { webhook: Webhook }) {
  const state = webhookState(webhook);
  return (
    <li>
      <Link to="/webhooks/$webhookId" params={{ webhookId: webhook.id }} className={classes.row}>
        <span className={classes.main}>
          <span className={classes.url}>{webhook.url}</span>
          <span className={classes.small}>{webhook.events.join(", ")}</span>
        </span>
        <Badge tone={state.tone}>{state.text}</Badge>
      </Link>
    </li>
  );
}
