/** A tenant's webhooks and what was sent to them, with what is done to them while the mock runs. */
import type { Delivery, DeliveryDetail, Webhook } from "../../src/api/types.ts";
import { type MockAnswer, notFound, ok, problem } from "./api.ts";
import type { Sent } from "./numbers.ts";

const MINUTE_MS = 60_000;
const START = Date.now();
const SECRET = "whsec_c3VwZXJzZWNyZXQtbm90LXJlYWxseS0wMTIzNDU2Nzg=";

let made = 0;

function id(prefix: string): string {
  made += 1;
  return `${prefix}_019a${made.toString(16).padStart(28, "0")}`;
}

function ago(minutes: number): string {
  return new Date(START - minutes * MINUTE_MS).toISOString();
}

function webhook(url: string, events: Webhook["events"], change: Partial<Webhook> = {}): Webhook {
  return {
    id: id("whk"),
    url,
    description: "",
    events,
    customer_numbers: "masked",
    state: "enabled",
    disabled_because: null,
    failing_since: null,
    created_at: ago(9000),
    former_secret_until: null,
    ...change,
  };
}

let held: Webhook[] = [
  webhook("https://hooks.northwind.example/ringfence", ["call.denied", "policy.published"]),
  webhook("https://crm.northwind.example/in/calls", ["call.denied"], { failing_since: ago(47) }),
  webhook("https://old.northwind.example/", ["call.denied"], { state: "disabled", disabled_because: "failing" }),
];

function delivery(event: Delivery["event"], change: Partial<Delivery> = {}): Delivery {
  return {
    event_id: id("evt"),
    event,
    at: ago(made),
    state: "delivered",
    attempts: 1,
    next_attempt_at: null,
    settled_at: ago(made),
    last_status: 204,
    last_error: null,
    ...change,
  };
}

const sent: Delivery[] = [
  delivery("call.denied", {
    state: "waiting",
    attempts: 3,
    next_attempt_at: ago(-8),
    last_status: 503,
    settled_at: null,
  }),
  delivery("call.denied"),
  delivery("policy.published"),
  delivery("call.denied", { state: "failed", attempts: 11, last_status: null, last_error: "no answer within 10 s" }),
];

export function webhooks(path: string[], request: Sent): MockAnswer {
  const [which, what, eventId, action] = path;
  if (which === undefined) {
    if (request.method === "GET") return ok({ data: held, next_cursor: null });
    return added(JSON.parse(request.text) as Partial<Webhook>);
  }
  const found = held.find((one) => one.id === which);
  if (found === undefined) return notFound();
  if (what === "test") return { status: 202, body: tested() };
  if (what === "rotate-secret") return ok({ ...found, former_secret_until: ago(-1440), secret: SECRET });
  if (what === "deliveries") return deliveries(eventId, action);
  if (request.method === "DELETE") {
    held = held.filter((one) => one.id !== which);
    return { status: 204, body: undefined };
  }
  if (request.method === "PATCH") Object.assign(found, JSON.parse(request.text) as Partial<Webhook>);
  return ok(found);
}

function added(body: Partial<Webhook>): MockAnswer {
  if (!(body.url ?? "").startsWith("https://")) {
    const fault = { pointer: "/url", code: "invalid", detail: "must be an https address" };
    return problem(422, "validation_failed", "one field is wrong", [fault]);
  }
  const one = webhook(body.url ?? "", body.events ?? []);
  held.push(one);
  return { status: 201, body: { ...one, secret: SECRET } };
}

function tested(): Delivery {
  const one = delivery("webhook.test", { at: new Date().toISOString() });
  sent.unshift(one);
  return one;
}

function deliveries(eventId: string | undefined, action: string | undefined): MockAnswer {
  if (eventId === undefined) return ok({ data: sent, next_cursor: null });
  const found = sent.find((one) => one.event_id === eventId);
  if (found === undefined) return notFound();
  if (action === "resend") return { status: 202, body: found };
  return ok(detail(found));
}

function detail(found: Delivery): DeliveryDetail {
  return {
    ...found,
    message: {
      type: found.event,
      timestamp: found.at,
      data: { customer_number: "+12•••••••42", rule_id: "customer-day" },
    },
    attempts_made: Array.from({ length: Math.min(found.attempts, 3) }, (_, index) => ({
      number: index + 1,
      at: found.at,
      duration_ms: 48 + index,
      status: found.last_status ?? null,
      error: found.last_error ?? null,
      answer: found.last_status === 503 ? "upstream is restarting" : null,
    })),
  };
}
