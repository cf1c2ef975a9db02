/** Has the workers compare an installation with what was asked for at once; by themselves they do so every ten minutes. */
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { useSession } from "../session/session";
import { lookNow } from "./actions";
import { mayInstall } from "./installing";
import classes from "./Lists.module.css";

export function LookNow({ instanceId }: { instanceId: string }) {
  const { api, me } = useSession();
  const queries = useQueryClient();
  const looking = useMutation({
    mutationFn: () => lookNow(api, instanceId),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["installation", instanceId] }),
  });
  if (!mayInstall(me)) return null;
  return (
    <span className={classes.action}>
      {looking.isSuccess && (
        <span role="status" className={classes.aside}>
          A look is under way
        </span>
      )}
      {looking.isError && (
        <span role="alert" className={classes.aside}>
          Not asked: {looking.error.message}
        </span>
      )}
      <Button variant="default" size="xs" loading={looking.isPending} onClick={() => looking.mutate()}>
        Look now
      </Button>
    </span>
  );
}
