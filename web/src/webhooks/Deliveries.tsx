/** What was sent to a webhook. A row opens to its message and every attempt. */
import { Button, Skeleton, UnstyledButton } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { Delivery, DeliveryDetail, Webhook } from "../api/types";
import { useSession } from "../session/session";
import { Badge } from "../ui/Badge";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Buttons } from "../ui/Panel";
import { Time } from "../ui/Time";
import { answered, deliveriesQuery, deliveryQuery, deliveryState, resend } from "./webhooks";
import classes from "./Webhooks.module.css";

export function Deliveries({ webhook }: { webhook: Webhook }) {
  const { api } = useSession();
  const deliveries = useInfiniteQuery(deliveriesQuery(api, webhook.id));
  if (deliveries.data === undefined) {
    if (!deliveries.isError) return <Skeleton height={56} aria-hidden="true" />;
    return (
      <ProblemNotice
        problem={deliveries.error}
        what="The deliveries could not be read"
        onRetry={() => void deliveries.refetch()}
      />
    );
  }
  const rows = deliveries.data.pages.flatMap((page) => page.data);
  if (rows.length === 0) {
    return (
      <Empty title="Nothing was sent yet">
        <p>Send a test message to see whether the webhook works.</p>
      </Empty>
    );
  }
  return (
    <>
      <ul className={classes.rows} aria-label="Deliveries">
        {rows.map((delivery) => (
          <Row key={delivery.event_id} webhook={webhook} delivery={delivery} />
        ))}
      </ul>
      {deliveries.hasNextPage && (
        <Button
          variant="default"
          className={classes.more ?? ""}
          loading={deliveries.isFetchingNextPage}
          onClick={() => void deliveries.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </>
  );
}

function Row({ webhook, delivery }: { webhook: Webhook; delivery: Delivery }) {
  const [open, setOpen] = useState(false);
  const state = deliveryState(delivery);
  return (
    <li>
      <UnstyledButton className={classes.row} aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className={classes.main}>
          <span>{delivery.event}</span>
          <span className={classes.small}>
            <Time at={delivery.at} /> {answered(delivery.last_status, delivery.last_error)}
          </span>
        </span>
        <Badge tone={state.tone}>{state.text}</Badge>
      </UnstyledButton>
      {open && <Detail webhook={webhook} eventId={delivery.event_id} />}
    </li>
  );
}

function Detail({ webhook, eventId }: { webhook: Webhook; eventId: string }) {
  const { api } = useSession();
  const client = useQueryClient();
  const delivery = useQuery(deliveryQuery(api, webhook.id, eventId));
  const sending = useMutation({
    mutationFn: () => resend(api, webhook.id, eventId),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["deliveries", webhook.id] });
      void client.invalidateQueries({ queryKey: ["delivery", webhook.id, eventId] });
    },
  });
  if (delivery.data === undefined) {
    if (!delivery.isError) return <Skeleton height={80} m="md" aria-hidden="true" />;
    return (
      <div className={classes.detail}>
        <ProblemNotice
          problem={delivery.error}
          what="The delivery could not be read"
          onRetry={() => void delivery.refetch()}
        />
      </div>
    );
  }
  return (
    <div className={classes.detail}>
      <p className={classes.small}>
        <span className="mono">{eventId}</span>
      </p>
      <Attempts delivery={delivery.data} />
      <pre className={classes.message} tabIndex={0} role="group" aria-label="Message">
        {JSON.stringify(delivery.data.message, null, 2)}
      </pre>
      {sending.isError && <ProblemNotice problem={sending.error} what="It was not sent again" />}
      <Buttons>
        <Button
          size="xs"
          variant="default"
          disabled={webhook.state !== "enabled"}
          loading={sending.isPending}
          onClick={() => sending.mutate()}
        >
          Send again
        </Button>
      </Buttons>
    </div>
  );
}

function Attempts({ delivery }: { delivery: DeliveryDetail }) {
  return (
    <ol className={classes.attempts} aria-label="Attempts">
      {delivery.attempts_made.map((attempt) => (
        <li key={attempt.number}>
          <Time at={attempt.at} />: {answered(attempt.status, attempt.error)} after {attempt.duration_ms} ms
          {attempt.answer != null && <q className={classes.answer}>{attempt.answer}</q>}
        </li>
      ))}
      {delivery.next_attempt_at != null && (
        <li>
          Next: <Time at={delivery.next_attempt_at} />
        </li>
      )}
    </ol>
  );
}
