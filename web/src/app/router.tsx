/** The addresses. Whatever narrows a list or opens a row is in the address, so that it can be shared and gone back to. */
import { createRootRoute, createRoute, createRouter, redirect } from "@tanstack/react-router";

import { AccessPage } from "../access/AccessPage";
import { type DecisionSearch, readDecisionSearch } from "../decisions/search";
import { DecisionsPage } from "../decisions/DecisionsPage";
import { InstancePage } from "../instances/InstancePage";
import { InstancesPage } from "../instances/InstancesPage";
import { LimitersPage } from "../limiters/LimitersPage";
import { MembersPage } from "../members/MembersPage";
import { NumbersPage } from "../numbers/NumbersPage";
import { type NumberSearch, readNumberSearch } from "../numbers/search";
import { UsagePage } from "../usage/UsagePage";
import { WebhookPage } from "../webhooks/WebhookPage";
import { WebhooksPage } from "../webhooks/WebhooksPage";
import { NotFound } from "./NotFound";
import { Shell } from "./Shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/instances", replace: true });
  },
});

const instances = createRoute({ getParentRoute: () => root, path: "/instances", component: InstancesPage });

const instance = createRoute({
  getParentRoute: () => root,
  path: "/instances/$instanceId",
  component: function InstanceRoute() {
    const { instanceId } = instance.useParams();
    return <InstancePage key={instanceId} id={instanceId} />;
  },
});

const decisions = createRoute({
  getParentRoute: () => root,
  path: "/decisions",
  validateSearch: (search: Record<string, unknown>): DecisionSearch => readDecisionSearch(search),
  component: function DecisionsRoute() {
    return <DecisionsPage search={decisions.useSearch()} />;
  },
});

const numbers = createRoute({
  getParentRoute: () => root,
  path: "/numbers",
  validateSearch: (search: Record<string, unknown>): NumberSearch => readNumberSearch(search),
  component: function NumbersRoute() {
    return <NumbersPage list={numbers.useSearch().list} />;
  },
});

const members = createRoute({ getParentRoute: () => root, path: "/members", component: MembersPage });

const access = createRoute({ getParentRoute: () => root, path: "/access", component: AccessPage });

const usage = createRoute({ getParentRoute: () => root, path: "/usage", component: UsagePage });

const webhooks = createRoute({ getParentRoute: () => root, path: "/webhooks", component: WebhooksPage });

const webhook = createRoute({
  getParentRoute: () => root,
  path: "/webhooks/$webhookId",
  component: function WebhookRoute() {
    const { webhookId } = webhook.useParams();
    return <WebhookPage key={webhookId} id={webhookId} />;
  },
});

const limiters = createRoute({ getParentRoute: () => root, path: "/limiters", component: LimitersPage });

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    instances,
    instance,
    decisions,
    numbers,
    webhooks,
    webhook,
    members,
    limiters,
    access,
    usage,
  ]),
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
