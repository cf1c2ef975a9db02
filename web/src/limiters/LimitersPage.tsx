/** The operator's limiter functions: how full they are, which are being emptied, and what is on its way. */
import { Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import type { Shard, ShardMove } from "../api/types";
import lists from "../instances/Lists.module.css";
import { useSession } from "../session/session";
import { shortId } from "../text/arn";
import { Badge } from "../ui/Badge";
import { ConfirmButton } from "../ui/ConfirmButton";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Page, Section } from "../ui/Page";
import { Time } from "../ui/Time";
import { byRegion, functionName, isOperator, movesQuery, setDraining, shardsQuery, shardState } from "./limiters";

const LEAD = "The functions that decide calls, of all tenants. Each has room for a number of instances.";

export function LimitersPage() {
  const { me } = useSession();
  if (!isOperator(me)) {
    return (
      <Page title="Limiters" lead={LEAD}>
        <Empty title="Limiters are the operator's">
          <p>Whether an instance has one is told on its page.</p>
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
    if (!shards.isError) return <Skeleton height={56} aria-hidden="true" />;
    return (
      <ProblemNotice
        problem={shards.error}
        what="The limiters could not be read"
        onRetry={() => void shards.refetch()}
      />
    );
  }
  return (
    <>
      {draining.isError && <ProblemNotice problem={draining.error} what="The limiter was not changed" />}
      {byRegion(shards.data).map(({ region, shards: here, free, isShort }) => (
        <Section
          key={region}
          title={region}
          aside={
            <span className={lists.aside}>
              {isShort ? `Only ${free} places free: add a function` : `${free} places free`}
            </span>
          }
        >
          <ul className={lists.list} aria-label={`Limiters in ${region}`}>
            {here.map((shard) => (
              <ShardRow
                key={shard.function_arn}
                shard={shard}
                busy={draining.isPending}
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
  busy: boolean;
  onDrain: (drain: boolean) => void;
}

function ShardRow({ shard, busy, onDrain }: ShardRowProps) {
  const { tone, label } = shardState(shard);
  const taken = shard.instances + shard.leaving;
  return (
    <li>
      <div className={lists.head}>
        <span className={lists.name}>{functionName(shard.function_arn)}</span>
        <Badge tone={tone} quiet>
          {label}
        </Badge>
      </div>
      <div className={lists.head}>
        <p className="figures">
          {taken} of {shard.capacity} places taken
          {shard.arriving > 0 && `, ${shard.arriving} arriving`}
          {shard.leaving > 0 && `, ${shard.leaving} leaving`}
        </p>
        {shard.state === "in_service" && (
          <ConfirmButton ask="Drain" confirm="Move its instances away" busy={busy} onConfirm={() => onDrain(true)} />
        )}
        {shard.state === "draining" && (
          <ConfirmButton ask="Take back" confirm="Take instances again" busy={busy} onConfirm={() => onDrain(false)} />
        )}
      </div>
    </li>
  );
}

function Moves() {
  const { api } = useSession();
  const moves = useQuery(movesQuery(api));
  if (moves.data === undefined || moves.data.length === 0) return null;
  return (
    <Section title="On their way" aside={<span className={lists.aside}>{`${moves.data.length} instances`}</span>}>
      <ul className={lists.list}>
        {moves.data.map((move) => (
          <MoveRow key={move.instance_id} move={move} />
        ))}
      </ul>
    </Section>
  );
}

function MoveRow({ move }: { move: ShardMove }) {
  return (
    <li>
      <div className={lists.head}>
        <span className={`mono ${lists.name}`} title={move.instance_id}>
          {shortId(move.instance_id)}
        </span>
        <span className={lists.since}>
          since <Time at={move.since} />
        </span>
      </div>
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
