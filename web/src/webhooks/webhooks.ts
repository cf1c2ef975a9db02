/** Webhooks in words, and what is read from and sent to the API about them. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { type Api, bodyOf } from "../api/client";
import type { Delivery, DeliveryDetail, DeliveryList, Webhook, WebhookChange, WebhookWithSecret } from "../api/types";
import { whole } from "../api/whole";
import type { Tone } from "../ui/Badge";

export type EventName = Webhook["events"][number];

/** Those that can be chosen, each with when it is told. */
export const EVENTS: { name: EventName; when: string }[] = [
  { name: "call.denied", when: "A call was not let out" },
  { name: "limit.near", when: "A call took a rule's count to 80 % of its limit" },
  { name: "policy.published", when: "Limiters read another version of a policy" },
  { name: "connection.unhealthy", when: "Ringfence cannot work in your AWS account any more" },
  { name: "installation.drifted", when: "Somebody changed what Ringfence had installed" },
];

export const SECRET_TEXT = "Messages are signed with this secret. Copy it now: it is not shown again.";

const WATCHED_EVERY_MS = 3_000;
const PAGE_SIZE = 25;

export function webhooksQuery(api: Api) {
  return queryOptions({
    queryKey: ["webhooks"],
    queryFn: ({ signal }): Promise<Webhook[]> =>
      whole(async (query) => bodyOf(await api.GET("/v1/webhooks", { params: { query }, signal }))),
  });
}

export function webhookQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: ["webhook", id],
    refetchInterval: WATCHED_EVERY_MS,
    queryFn: async ({ signal }) => bodyOf(await api.GET("/v1/webhooks/{id}", { params: { path: { id } }, signal })),
  });
}

export function deliveriesQuery(api: Api, id: string) {
  return infiniteQueryOptions({
    queryKey: ["deliveries", id],
    refetchInterval: WATCHED_EVERY_MS,
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }): Promise<DeliveryList> =>
      bodyOf(
        await api.GET("/v1/webhooks/{id}/deliveries", {
          params: {
            path: { id },
            query: { limit: PAGE_SIZE, ...(pageParam === null ? {} : { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    getNextPageParam: (last) => last.next_cursor ?? null,
  });
}

export function deliveryQuery(api: Api, id: string, eventId: string) {
  return queryOptions({
    queryKey: ["delivery", id, eventId],
    refetchInterval: WATCHED_EVERY_MS,
    queryFn: async ({ signal }): Promise<DeliveryDetail> =>
      bodyOf(
        await api.GET("/v1/webhooks/{id}/deliveries/{event_id}", {
          params: { path: { id, event_id: eventId } },
          signal,
        }),
      ),
  });
}

export interface NewWebhook {
  url: string;
  events: EventName[];
  customer_numbers: Webhook["customer_numbers"];
}

export async function addWebhook(api: Api, body: NewWebhook): Promise<WebhookWithSecret> {
  return bodyOf(await api.POST("/v1/webhooks", { body }));
}

export async function changeWebhook(api: Api, id: string, body: WebhookChange): Promise<Webhook> {
  return bodyOf(await api.PATCH("/v1/webhooks/{id}", { params: { path: { id } }, body }));
}

export async function deleteWebhook(api: Api, id: string): Promise<void> {
  await api.DELETE("/v1/webhooks/{id}", { params: { path: { id } } });
}

export async function rotateSecret(api: Api, id: string): Promise<WebhookWithSecret> {
  return bodyOf(
    await api.POST("/v1/webhooks/{id}/rotate-secret", { params: { path: { id } }, body: { overlap_seconds: null } }),
  );
}

export async function sendTest(api: Api, id: string): Promise<Delivery> {
  return bodyOf(await api.POST("/v1/webhooks/{id}/test", { params: { path: { id } } }));
}

export async function resend(api: Api, id: string, eventId: string): Promise<Delivery> {
  const path = { id, event_id: eventId };
  return bodyOf(await api.POST("/v1/webhooks/{id}/deliveries/{event_id}/resend", { params: { path } }));
}

export interface Said {
  tone: Tone;
  text: string;
}

export function webhookState(webhook: Webhook): Said {
  if (webhook.state === "disabled") {
    const why = {
      asked: "Disabled",
      failing: "Disabled: nothing was delivered for three days",
      gone: "Disabled: it answered that it is gone",
    };
    return { tone: "plain", text: why[webhook.disabled_because ?? "asked"] };
  }
  return webhook.failing_since == null
    ? { tone: "good", text: "Enabled" }
    : { tone: "caution", text: "Not answering as it should" };
}

export function deliveryState(delivery: Delivery): Said {
  if (delivery.state === "delivered") return { tone: "good", text: "Delivered" };
  if (delivery.state === "failed") return { tone: "fault", text: "Given up" };
  return delivery.attempts === 0
    ? { tone: "note", text: "On its way" }
    : { tone: "caution", text: "Tried again later" };
}

/** What an attempt came to: the answer, or why there was none. */
export function answered(status: number | null | undefined, error: string | null | undefined): string {
  if (status != null) return `Answered ${status}`;
  return error == null ? "" : `${error.charAt(0).toUpperCase()}${error.slice(1)}`;
}
