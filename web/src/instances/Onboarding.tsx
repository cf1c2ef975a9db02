/** From a registered ARN to a verified one: deploy two roles, then have them checked. */
import type { Instance } from "../api/types";
import { Section } from "../ui/Page";
import { DeployWays } from "./DeployWays";
import classes from "./Onboarding.module.css";
import { Verify } from "./Verify";

export function Onboarding({ instance }: { instance: Instance }) {
  const { onboarding } = instance;
  if (onboarding == null) return null;
  return (
    <Section title="Connect it">
      <ol className={classes.steps}>
        <li>
          <p>
            Deploy the roles in account {instance.account_id}. They let Ringfence install its flows and stop calls, and
            nothing else.
          </p>
          <DeployWays onboarding={onboarding} />
        </li>
        <li>
          <p>When the stack is complete, have it verified. Each permission is tried, and then listed below.</p>
          <Verify instance={instance} />
        </li>
      </ol>
    </Section>
  );
}
