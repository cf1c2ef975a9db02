/** Stands for what `npm run generate` writes from docs/openapi.json. */

type Json<T> = { headers: { [name: string]: unknown }; content: { "application/json": T } };
type Ok<T, Params = { query?: never; header?: never; path?: never; cookie?: never }> = {
  parameters: Params;
  requestBody?: never;
  responses: { 200: Json<T>; default: { headers: { [name: string]: unknown }; content: { "application/problem+json": components["schemas"]["Problem"] } } };
};
type Get<Operation> = { parameters: { query?: never; header?: never; path?: never; cookie?: never }; get: Operation };
type ById = { query?: never; header?: never; path: { id: string }; cookie?: never };

export interface paths {
  "/v1/me": Get<Ok<components["schemas"]["Me"]>>;
  "/v1/instances": Get<Ok<components["schemas"]["InstanceList"], { query?: { limit?: number; cursor?: string }; header?: never; path?: never; cookie?: never }>>;
  "/v1/instances/{id}": Get<Ok<components["schemas"]["Instance"], ById>>;
  "/v1/instances/{id}/installation": Get<Ok<components["schemas"]["Installation"], ById>>;
  "/v1/instances/{id}/policy": Get<Ok<components["schemas"]["PolicyResource"], ById>>;
  "/v1/policies/default": Get<Ok<components["schemas"]["PolicyResource"]>>;
  "/v1/decisions": Get<
    Ok<
      components["schemas"]["DecisionList"],
      {
        query?: { instance_id?: string; outcome?: string; rule_id?: string; limit?: number; cursor?: string };
        header?: never;
        path?: never;
        cookie?: never;
      }
    >
  >;
  "/v1/decisions/{id}": Get<Ok<components["schemas"]["Decision"], ById>>;
}

export interface components {
  schemas: {
    Problem: {
      type: string;
      title: string;
      status: number;
      detail?: string;
      code: string;
      request_id?: string;
      errors?: { pointer: string; code: string; detail: string }[];
    };
    Me: {
      kind: "operator" | "api_key" | "jwt";
      tenant?: { id: string; name: string } | null;
      role: string;
      subject: string;
    };
    Check: { name: string; status: "passed" | "failed" | "skipped"; detail: string; fix?: string | null };
    Instance: {
      id: string;
      name: string;
      instance_arn: string;
      region: string;
      account_id: string;
      status: "pending_verification" | "verified";
      verified_at?: string | null;
      connection: {
        id: string;
        account_id: string;
        installer_role_arn?: string | null;
        runtime_role_arn?: string | null;
        health: "unknown" | "healthy" | "unhealthy";
        checked_at?: string | null;
        checks: components["schemas"]["Check"][];
      };
      installation_state?: string | null;
      policy: { source: "default" | "own" | "none"; id?: string | null; version?: number | null; in_force_version?: number | null };
      created_at: string;
      onboarding?: {
        external_id: string;
        connection_id: string;
        template_url: string;
        quick_create_url: string;
        cli_command: string;
        terraform: string;
      } | null;
    };
    InstanceList: { data: components["schemas"]["Instance"][]; next_cursor?: string | null };
    Condition: { type: string; status: "true" | "false" | "unknown"; reason: string; message: string; last_transition_at: string };
    Step: { name: string; target: string; status: "pending" | "done" | "failed"; detail?: string | null; at?: string | null };
    InstalledQueue: {
      queue_id: string;
      name: string;
      previous_flow_id?: string | null;
      whisper_flow_id?: string | null;
      state: "attached" | "refused" | "pending" | "restored" | "left_alone";
      detail?: string | null;
    };
    Installation: {
      instance_id: string;
      generation: number;
      observed_generation: number;
      state: "pending" | "installing" | "installed" | "blocked" | "uninstalling" | "uninstalled";
      conditions: components["schemas"]["Condition"][];
      steps: components["schemas"]["Step"][];
      progress: { done: number; total: number };
      function_arn?: string | null;
      notice_flow_id?: string | null;
      queues: components["schemas"]["InstalledQueue"][];
    };
    PolicyResource: {
      id: string;
      version: number;
      sentences: { rule_id: string; text: string }[];
      created_at: string;
      created_by: string;
      in_force: { instance_id: string; version?: number | null; published_at?: string | null }[];
    };
    RuleRecord: {
      rule_id: string;
      mode: "enforce" | "shadow" | "off";
      applied?: boolean;
      not_applied_because?: string | null;
      count?: number | null;
      limit: number;
      denied?: boolean;
      retry_at?: string | null;
    };
    Decision: {
      id: string;
      instance_id: string;
      instance_arn: string;
      contact_id: string;
      at: string;
      outcome: "allowed" | "denied" | "would_deny" | "emergency" | "unregistered" | "suspended" | "failed_open" | "failed_closed";
      mode: "enforce" | "shadow" | "off";
      reason?: string | null;
      rule_id?: string | null;
      rule_name?: string | null;
      retry_at?: string | null;
      retry_after_seconds?: number | null;
      customer_number?: string | null;
      customer_number_valid?: boolean;
      caller_id?: string | null;
      agent_arn?: string | null;
      queue_arn?: string | null;
      policy_id: string;
      policy_version: number;
      revision: number;
      rules?: components["schemas"]["RuleRecord"][];
      unavailable?: string | null;
      stop?: "not_needed" | "stopped" | "already_ended" | "failed";
      stop_error?: string | null;
      notice?: "not_needed" | "sent" | "failed" | "no_agent" | "no_flow";
      notice_error?: string | null;
      task_contact_id?: string | null;
      decided_in_ms: number;
    };
    DecisionList: { data: components["schemas"]["Decision"][]; next_cursor?: string | null };
  };
}
