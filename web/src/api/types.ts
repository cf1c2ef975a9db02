/** The API's resources by the names the dashboard uses, taken from its operations. */
import type { components, paths } from "./schema";

type Answer<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : never;

export type Me = Answer<"/v1/me">;
export type Instance = Answer<"/v1/instances/{id}">;
export type InstanceList = Answer<"/v1/instances">;
export type Installation = Answer<"/v1/instances/{id}/installation">;
export type InstallationWish =
  paths["/v1/instances/{id}/installation"]["put"]["requestBody"]["content"]["application/json"];
export type Coverage = Answer<"/v1/instances/{id}/coverage">;
export type Queue = Answer<"/v1/instances/{id}/queues">["data"][number];
export type PolicyResource = Answer<"/v1/policies/default">;
export type Decision = Answer<"/v1/decisions/{id}">;
export type DecisionList = Answer<"/v1/decisions">;

export type ListedNumber = Answer<"/v1/blocks/{id}">;
export type ListedNumberList = Answer<"/v1/blocks">;
export type ImportedNumbers = paths["/v1/blocks/import"]["post"]["responses"][200]["content"]["application/json"];

export type NumberStanding = Pick<Answer<"/v1/numbers/{number}">, "number" | "listed" | "data">;
export type StandingRule = NonNullable<NumberStanding["data"][number]["rules"]>[number];
export type NumberReset = paths["/v1/numbers/{number}/reset"]["post"]["responses"][200]["content"]["application/json"];
export type NumberErasure = Answer<"/v1/number-erasures/{id}">;

export type Webhook = Answer<"/v1/webhooks/{id}">;
export type WebhookWithSecret = paths["/v1/webhooks"]["post"]["responses"][201]["content"]["application/json"];
export type WebhookChange = paths["/v1/webhooks/{id}"]["patch"]["requestBody"]["content"]["application/json"];
export type DeliveryList = Answer<"/v1/webhooks/{id}/deliveries">;
export type Delivery = DeliveryList["data"][number];
export type DeliveryDetail = Answer<"/v1/webhooks/{id}/deliveries/{event_id}">;

export type MemberList = Answer<"/v1/members">;
export type Member = MemberList["data"][number];
export type InvitationList = Answer<"/v1/invitations">;
export type Invitation = InvitationList["data"][number];
export type MadeInvitation = paths["/v1/invitations"]["post"]["responses"][201]["content"]["application/json"];
export type Role = Member["role"];

export type NewInstance = paths["/v1/instances"]["post"]["requestBody"]["content"]["application/json"];

export type ApiKeyList = Answer<"/v1/api-keys">;
export type ApiKey = ApiKeyList["data"][number];
export type NewApiKey = paths["/v1/api-keys"]["post"]["requestBody"]["content"]["application/json"];
export type MadeApiKey = paths["/v1/api-keys"]["post"]["responses"][201]["content"]["application/json"];
export type Permission = components["schemas"]["Permission"];

export type TokenIssuer = Answer<"/v1/token-issuers">["data"][number];
export type NewTokenIssuer = paths["/v1/token-issuers"]["post"]["requestBody"]["content"]["application/json"];
export type TokenAlgorithm = components["schemas"]["TokenAlgorithm"];

export type Usage = Answer<"/v1/usage">;
export type UsageMonth = Usage["data"][number];
export type Quota = Answer<"/v1/quotas">["data"][number];

export type Tenant = Answer<"/v1/tenants">["data"][number];
export type Shard = Answer<"/v1/shards">["data"][number];
export type ShardMove = Answer<"/v1/shard-moves">["data"][number];

export type Check = Instance["connection"]["checks"][number];
export type Condition = Installation["conditions"][number];
export type InstalledQueue = Installation["queues"][number];
export type Drift = Installation["drift"][number];
export type RotatedConnection =
  paths["/v1/connections/{id}/rotate-external-id"]["post"]["responses"][200]["content"]["application/json"];
export type Outcome = Decision["outcome"];
export type RuleRecord = NonNullable<Decision["rules"]>[number];
