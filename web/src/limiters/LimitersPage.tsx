/** The operator's limiter functions: how full they are, which are being emptied, and what is on its way. */
import { Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import type { Shard, ShardMove } from "../api/types";
import lists from "../instances/Lists.module.css";
import { useSession } from "../session/session";
import { tenantsQuery } from "../session/tenants";
import { Badge } from "../ui/Badge";
import { ConfirmButton } from "../ui/ConfirmButton";
import { Copy } from "../ui/Copy";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Page, Section } from "../ui/Page";
import { Time } from "../ui/Time";
import classes from "./Limiters.module.css";
import {
  byRegion,
  functionName,
  isOperator,
  movesQuery,
  placesText,
  setDraining,
  shardsQuery,
  shardState,
  waitsForRoom,
} from "./limiters";

const LEAD = "The functions that decide the calls of all tenants, and how many instances each has room for.";

export function LimitersPage() {
  const { me } = useSession();
  if (!isOperator(me)) {
    return (
      <Page title="Limiters" lead={LEAD}>
        <Empty title="Limiters are the operator’s">
          <p>An instance’s page tells whether it has one, under Installation.</p>
        </Empty>
      </Page>
    );
  }
  return (
    <Page title="Limiters" lead={LEAD}>
      <Regions />
      <Moves />
    </Page>
  );
}

function Regions() {
  const { api } = useSession();
  const client = useQueryClient();
  const shards = useQuery(shardsQuery(api));
  const draining = useMutation({
    mutationFn: ({ arn, drain }: { arn: string; drain: boolean }) => setDraining(api, arn, drain),
    onSettled: () => client.invalidateQueries({ queryKey: ["shards"] }),
  });
  if (shards.data === undefined) {
    if (!shards.isError) return <Skeleton height={160} aria-hidden="true" />;
    return (
      <ProblemNotice
        problem={shards.error}
        what="The limiters could not be read"
        onRetry={() => void shards.refetch()}
      />
    );
  }
  if (shards.data.length === 0) {
    return (
      <Empty title="No limiter is known">
        <p>
          Deploy the limiter in a region, name its function in <span className="mono">RINGFENCE_LIMITER_FUNCTIONS</span>
          , and start Ringfence again. Until then nothing can be installed.
        </p>
      </Empty>
    );
  }
  return (
    <>
      {draining.isError && <ProblemNotice problem={draining.error} what="The limiter was not changed" />}
      {byRegion(shards.data).map((region) => (
        <Section
          key={region.region}
          title={region.region}
          aside={
            region.isShort ? (
              <Badge tone="caution">{placesText(region)}</Badge>
            ) : (
              <span className={lists.aside}>{placesText(region)}</span>
            )
          }
        >
          <ul className={lists.list} aria-label={`Limiters in ${region.region}`}>
            {region.shards.map((shard) => (
              <ShardRow
                key={shard.function_arn}
                shard={shard}
                waits={waitsForRoom(shard, region)}
                busy={draining.isPending && draining.variables.arn === shard.function_arn}
                onDrain={(drain) => draining.mutate({ arn: shard.function_arn, drain })}
              />
            ))}
          </ul>
        </Section>
      ))}
    </>
  );
}

interface ShardRowProps {
  shard: Shard;
  /** Its instances stay for want of room elsewhere. */
  waits: boolean;
  busy: boolean;
  onDrain: (drain: boolean) => void;
}

function ShardRow({ shard, waits, busy, onDrain }: ShardRowProps) {
  const { tone, label } = shardState(shard);
  const taken = shard.instances + shard.leaving;
  return (
    <li className={classes.shard}>
      <div className={classes.what}>
        <span className={classes.head}>
          <span className={lists.name} title={shard.function_arn}>
            {functionName(shard.function_arn)}
          </span>
          <Badge tone={tone} quiet>
            {label}
          </Badge>
        </span>
        <span className={classes.fill} aria-hidden="true">
          <span style={{ width: `${Math.min(1, taken / shard.capacity) * 100}%` }} />
        </span>
        <p className="figures">
          {taken} of {shard.capacity} places taken
          {shard.arriving > 0 && `, ${shard.arriving} arriving`}
          {shard.leaving > 0 && `, ${shard.leaving} leaving`}
        </p>
        {waits && <p>No other function here has room: its instances stay, and go on being limited.</p>}
      </div>
      {shard.state === "in_service" && (
        <ConfirmButton ask="Drain" confirm="Move all away" busy={busy} onConfirm={() => onDrain(true)} />
      )}
      {shard.state === "draining" && (
        <ConfirmButton ask="Take back" confirm="Really take back" busy={busy} onConfirm={() => onDrain(false)} />
      )}
    </li>
  );
}

function Moves() {
  const { api } = useSession();
  const moves = useQuery(movesQuery(api));
  const tenants = useQuery({ ...tenantsQuery(api), enabled: (moves.data?.length ?? 0) > 0 });
  if (moves.data === undefined) {
    if (!moves.isError) return null;
    return (
      <ProblemNotice problem={moves.error} what="The moves could not be read" onRetry={() => void moves.refetch()} />
    );
  }
  if (moves.data.length === 0) return null;
  return (
    <Section
      title="On their way"
      aside={
        <span className={lists.aside}>{moves.data.length === 1 ? "1 instance" : `${moves.data.length} instances`}</span>
      }
    >
      <ul className={lists.list} aria-label="Instances on their way">
        {moves.data.map((move) => (
          <MoveRow
            key={move.instance_id}
            move={move}
            tenant={tenants.data?.find(({ id }) => id === move.tenant_id)?.name}
          />
        ))}
      </ul>
    </Section>
  );
}

function MoveRow({ move, tenant }: { move: ShardMove; tenant: string | undefined }) {
  return (
    <li>
      <div className={lists.head}>
        <span className={lists.name}>{tenant ?? move.tenant_id}</span>
        <span className={lists.since}>
          since <Time at={move.since} />
        </span>
      </div>
      <p className={classes.id}>
        <span className="mono">{move.instance_id}</span> <Copy value={move.instance_id} what="instance id" />
      </p>
      <p>
        {functionName(move.from)} to {functionName(move.to)}:{" "}
        {move.repointed_at == null
          ? "its flows are being changed"
          : "its flows are changed; calls that began before may still be under way"}
        .
      </p>
    </li>
  );
}
