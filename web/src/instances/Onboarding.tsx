/** From a registered ARN to a verified one: deploy two roles, then have them checked. */
import { Button, Tabs } from "@mantine/core";

import type { Instance } from "../api/types";
import { CopyBlock } from "../ui/Copy";
import { Section } from "../ui/Page";
import { verifyCommand } from "./commands";
import classes from "./Onboarding.module.css";

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
          <Tabs defaultValue="console" className={classes.ways ?? ""}>
            <Tabs.List>
              <Tabs.Tab value="console">Console</Tabs.Tab>
              <Tabs.Tab value="cli">Command line</Tabs.Tab>
              <Tabs.Tab value="terraform">Terraform</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="console">
              <Button component="a" href={onboarding.quick_create_url} target="_blank" rel="noreferrer">
                Open CloudFormation
              </Button>
            </Tabs.Panel>
            <Tabs.Panel value="cli">
              <CopyBlock what="command" value={onboarding.cli_command} />
            </Tabs.Panel>
            <Tabs.Panel value="terraform">
              <CopyBlock what="Terraform" value={onboarding.terraform} />
            </Tabs.Panel>
          </Tabs>
        </li>
        <li>
          <p>
            When the stack is complete, have it verified, with your API key in <span className="mono">$KEY</span>. Each
            permission then appears below.
          </p>
          <CopyBlock what="command" value={verifyCommand(window.location.origin, instance.id)} />
        </li>
      </ol>
    </Section>
  );
}
