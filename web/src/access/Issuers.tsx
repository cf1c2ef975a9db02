/** Whose tokens are accepted, and for what. */
import { Button, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { TokenIssuer } from "../api/types";
import { useSession } from "../session/session";
import { ConfirmButton } from "../ui/ConfirmButton";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Section } from "../ui/Page";
import rows from "../ui/Rows.module.css";
import { Time } from "../ui/Time";
import classes from "./Access.module.css";
import { AddIssuer } from "./AddIssuer";
import { issuersQuery, removeIssuer, rolesText } from "./issuers";

export function Issuers() {
  const { api } = useSession();
  const client = useQueryClient();
  const [adding, setAdding] = useState(false);
  const issuers = useQuery(issuersQuery(api));
  const changed = () => void client.invalidateQueries({ queryKey: ["token-issuers"] });
  const add = adding ? undefined : (
    <Button size="xs" onClick={() => setAdding(true)}>
      Add an issuer
    </Button>
  );
  return (
    <Section title="Token issuers" aside={add}>
      <div className={classes.stack}>
        {adding && <AddIssuer onAdded={changed} onClose={() => setAdding(false)} />}
        {issuers.isError && (
          <ProblemNotice
            problem={issuers.error}
            what="The token issuers could not be read"
            onRetry={() => void issuers.refetch()}
          />
        )}
        {issuers.isPending && <Skeleton height={56} aria-hidden="true" />}
        {issuers.data !== undefined && <Rows issuers={issuers.data} onChanged={changed} />}
      </div>
    </Section>
  );
}

function Rows({ issuers, onChanged }: { issuers: TokenIssuer[]; onChanged: () => void }) {
  const { api } = useSession();
  const removing = useMutation({ mutationFn: (id: string) => removeIssuer(api, id), onSettled: onChanged });
  if (issuers.length === 0) {
    return (
      <Empty title="No tokens are accepted">
        <p>Name an identity provider of yours, and programs that it knows need no key.</p>
      </Empty>
    );
  }
  return (
    <>
      {removing.isError && <ProblemNotice problem={removing.error} what="The issuer was not removed" />}
      <ul className={rows.list} aria-label="Token issuers">
        {issuers.map((issuer) => (
          <li key={issuer.id}>
            <div className={rows.who}>
              <span className={rows.name}>{issuer.issuer}</span>
              <span className={rows.small}>{rolesText(issuer)}</span>
              <span className={rows.small}>
                for {issuer.audience} · {issuer.algorithms.join(", ")} · since <Time at={issuer.created_at} />
              </span>
            </div>
            <span />
            <ConfirmButton
              ask="Remove"
              confirm="Really remove"
              busy={removing.isPending}
              onConfirm={() => removing.mutate(issuer.id)}
            />
          </li>
        ))}
      </ul>
    </>
  );
}
