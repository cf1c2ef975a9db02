import { describe, expect, it } from "vitest";

import type { Delivery, Webhook } from "../api/types";
import { answered, deliveryState, webhookState } from "./webhooks";

const webhook: Webhook = {
  id: "whk_1",
  url: "https://hooks.example.com/",
  description: "",
  events: ["call.denied"],
  customer_numbers: "masked",
  state: "enabled",
  disabled_because: null,
  failing_since: null,
  created_at: "2026-11-25T12:00:00Z",
  former_secret_until: null,
};

const delivery: Delivery = {
  event_id: "evt_1",
  event: "call.denied",
  at: "2026-11-25T12:00:00Z",
  state: "waiting",
  attempts: 0,
  next_attempt_at: "2026-11-25T12:00:00Z",
  settled_at: null,
  last_status: null,
  last_error: null,
};

describe("a webhook's state", () => {
  it("says why it is disabled", () => {
    expect(webhookState({ ...webhook, state: "disabled", disabled_because: "gone" }).text).toContain("gone");
  });
  it("warns before it is disabled", () => {
    expect(webhookState(webhook).tone).toBe("good");
    expect(webhookState({ ...webhook, failing_since: "2026-11-25T12:00:00Z" }).tone).toBe("caution");
  });
});

describe("a delivery's state", () => {
  it("tells a first attempt from a further one", () => {
    expect(deliveryState(delivery).text).toBe("On its way");
    expect(deliveryState({ ...delivery, attempts: 1 }).text).toBe("Tried again later");
  });
  it("names the answer, or why there was none", () => {
    expect(answered(503, null)).toBe("Answered 503");
    expect(answered(null, "no answer within 10 s")).toBe("No answer within 10 s");
    expect(answered(null, null)).toBe("");
  });
});
