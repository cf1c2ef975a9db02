/** The ways to deploy the roles' stack. */
import { Button, Tabs } from "@mantine/core";

import type { Instance } from "../api/types";
import { CopyBlock } from "../ui/Copy";
import classes from "./Onboarding.module.css";

type Ways = Pick<
  NonNullable<Instance["onboarding"]>,
  "quick_create_url" | "cli_command" | "terraform" | "template_url"
>;

export function DeployWays({ onboarding }: { onboarding: Ways }) {
  return (
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
        <p className={classes.hint}>
          Save <a href={onboarding.template_url}>the template</a> beside it as{" "}
          <span className="mono">ringfence.yaml</span>.
        </p>
        <CopyBlock what="Terraform" value={onboarding.terraform} />
      </Tabs.Panel>
    </Tabs>
  );
}
