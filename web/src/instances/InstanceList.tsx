import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { installationQuery } from "../api/queries";
import type { Instance } from "../api/types";
import { useSession } from "../session/session";
import { shortArn } from "../text/arn";
import { Badge } from "../ui/Badge";
import { Copy } from "../ui/Copy";
import { useIsNarrow } from "../ui/useIsNarrow";
import classes from "./InstanceList.module.css";
import { connectionState, installationState, policyState, type State } from "./states";

export function InstanceList({ instances }: { instances: Instance[] }) {
  const narrow = useIsNarrow();
  if (narrow) {
    return (
      <ul className={classes.cards} aria-label="Instances">
        {instances.map((instance) => (
          <Card key={instance.id} instance={instance} />
        ))}
      </ul>
    );
  }
  return (
    <table className={classes.table} aria-label="Instances">
      <Head />
      <tbody>
        {instances.map((instance) => (
          <Row key={instance.id} instance={instance} />
        ))}
      </tbody>
    </table>
  );
}

function Head() {
  return (
    <thead>
      <tr>
        <th scope="col">Instance</th>
        <th scope="col" className={classes.where}>
          Region, account
        </th>
        <th scope="col" className={classes.state}>
          Connection
        </th>
        <th scope="col">Installation</th>
        <th scope="col" className={classes.limits}>
          Limits
        </th>
      </tr>
    </thead>
  );
}

function Row({ instance }: { instance: Instance }) {
  return (
    <tr>
      <td>
        <Name instance={instance} />
      </td>
      <td>
        <Where instance={instance} />
      </td>
      <td>
        <StateText state={connectionState(instance)} />
      </td>
      <td>
        <InstallationText instance={instance} />
      </td>
      <td>
        <StateText state={policyState(instance)} />
      </td>
    </tr>
  );
}

function Card({ instance }: { instance: Instance }) {
  return (
    <li>
      <Name instance={instance} />
      <dl>
        <div>
          <dt>Where</dt>
          <dd>
            <Where instance={instance} />
          </dd>
        </div>
        <div>
          <dt>Connection</dt>
          <dd>
            <StateText state={connectionState(instance)} />
          </dd>
        </div>
        <div>
          <dt>Installation</dt>
          <dd>
            <InstallationText instance={instance} />
          </dd>
        </div>
        <div>
          <dt>Limits</dt>
          <dd>
            <StateText state={policyState(instance)} />
          </dd>
        </div>
      </dl>
    </li>
  );
}

function Name({ instance }: { instance: Instance }) {
  return (
    <div className={classes.stack}>
      <Link to="/instances/$instanceId" params={{ instanceId: instance.id }} className={classes.name}>
        {instance.name}
      </Link>
      <span className={classes.arn}>
        <span className="mono" title={instance.instance_arn}>
          {shortArn(instance.instance_arn)}
        </span>
        <Copy value={instance.instance_arn} what="ARN" />
      </span>
    </div>
  );
}

function Where({ instance }: { instance: Instance }) {
  return (
    <div className={classes.stack}>
      <span>{instance.region}</span>
      <span className={`figures ${classes.detail}`}>{instance.account_id}</span>
    </div>
  );
}

/** The list itself only tells the state; what is unmet is read for each. */
function InstallationText({ instance }: { instance: Instance }) {
  const { api } = useSession();
  const nothing = instance.installation_state === "uninstalled";
  const installation = useQuery({ ...installationQuery(api, instance.id), enabled: !nothing });
  if (nothing) return <StateText state={installationState(null)} />;
  if (installation.data !== undefined) return <StateText state={installationState(installation.data)} />;
  return installation.isError ? <StateText state={{ tone: "plain", label: "Not known" }} /> : <StateSkeleton />;
}

function StateText({ state: { tone, label, detail } }: { state: State }) {
  return (
    <div className={classes.stack}>
      <Badge tone={tone} quiet>
        {label}
      </Badge>
      {detail !== undefined && detail !== "" && <span className={classes.detail}>{detail}</span>}
    </div>
  );
}

function StateSkeleton() {
  return (
    <div className={classes.stack}>
      <Skeleton height={12} width="5rem" my={4} />
      <Skeleton height={10} width="8rem" my={4} />
    </div>
  );
}

export function InstanceListSkeleton() {
  const narrow = useIsNarrow();
  const rows = [0, 1, 2];
  if (narrow) {
    return (
      <ul className={classes.cards} aria-hidden="true">
        {rows.map((row) => (
          <li key={row}>
            <Skeleton height={18} width="55%" my={4} />
            <Skeleton height={120} mt={12} />
          </li>
        ))}
      </ul>
    );
  }
  return (
    <table className={classes.table} aria-hidden="true">
      <Head />
      <tbody>
        {rows.map((row) => (
          <tr key={row}>
            {[0, 1, 2, 3, 4].map((cell) => (
              <td key={cell}>
                <StateSkeleton />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
