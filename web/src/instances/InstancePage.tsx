/** One instance: is it connected, is it installed, which limits hold, and what to do where something is missing. */
import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { installationQuery, instanceQuery } from "../api/queries";
import type { Instance } from "../api/types";
import { useSession } from "../session/session";
import { Badge } from "../ui/Badge";
import { Copy } from "../ui/Copy";
import { Icon } from "../ui/Icon";
import { ProblemNotice } from "../ui/Notice";
import { Page } from "../ui/Page";
import { Checks } from "./Checks";
import { CoverageSection } from "./CoverageSection";
import { InstallationDetail } from "./InstallationDetail";
import classes from "./InstancePage.module.css";
import { Limits } from "./Limits";
import { Onboarding } from "./Onboarding";
import { Removal } from "./Removal";
import { connectionState, installationState } from "./states";

export function InstancePage({ id }: { id: string }) {
  const { api } = useSession();
  const instance = useQuery(instanceQuery(api, id));
  const back = (
    <Link to="/instances" className={classes.back}>
      <Icon name="back" size={16} />
      Instances
    </Link>
  );
  if (instance.data === undefined) {
    return (
      <Page title="Instance" above={back}>
        {instance.isError ? (
          <ProblemNotice
            problem={instance.error}
            what="This instance could not be read"
            onRetry={() => void instance.refetch()}
          />
        ) : (
          <Skeleton height={320} radius={8} />
        )}
      </Page>
    );
  }
  return (
    <Page title={instance.data.name} above={back} under={<Lead instance={instance.data} />}>
      {instance.isError && (
        <ProblemNotice
          problem={instance.error}
          what="What you see may be out of date"
          onRetry={() => void instance.refetch()}
        />
      )}
      {instance.data.status === "pending_verification" && <Onboarding instance={instance.data} />}
      <div className={classes.columns}>
        <div className={classes.column}>
          <InstallationDetail instance={instance.data} />
          <CoverageSection instance={instance.data} />
        </div>
        <div className={classes.column}>
          <Limits instance={instance.data} />
          <Checks instance={instance.data} />
        </div>
      </div>
      <Removal instance={instance.data} />
    </Page>
  );
}

function Lead({ instance }: { instance: Instance }) {
  const { api } = useSession();
  const installation = useQuery({
    ...installationQuery(api, instance.id),
    enabled: instance.installation_state !== "uninstalled",
  });
  const connection = connectionState(instance);
  const installed = installation.data == null ? undefined : installationState(installation.data);
  return (
    <div className={classes.lead}>
      <span className={classes.arn}>
        <span className="mono">{instance.instance_arn}</span>
        <Copy value={instance.instance_arn} what="ARN" />
      </span>
      <span className={classes.badges}>
        <Badge tone={connection.tone}>{connection.label}</Badge>
        {installed !== undefined && <Badge tone={installed.tone}>{installed.label}</Badge>}
        <Link to="/decisions" search={{ instance: instance.id }}>
          Its decisions
        </Link>
      </span>
    </div>
  );
}
