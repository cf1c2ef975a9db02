/** Another external id for the roles, and the stack's update that makes them accept it. Calls are limited all along. */
import { useMutation } from "@tanstack/react-query";

import type { Instance } from "../api/types";
import { mayManage } from "../session/roles";
import { useSession } from "../session/session";
import { ConfirmButton } from "../ui/ConfirmButton";
import { ProblemNotice } from "../ui/Notice";
import { rotateExternalId } from "./actions";
import { DeployWays } from "./DeployWays";
import classes from "./Lists.module.css";

export function RotateExternalId({ instance }: { instance: Instance }) {
  const { api, me } = useSession();
  const rotating = useMutation({ mutationFn: () => rotateExternalId(api, instance.connection.id) });
  if (!mayManage(me) || instance.status === "pending_verification") return null;
  const onboarding = rotating.data?.onboarding;
  return (
    <div className={classes.under}>
      {rotating.isError && <ProblemNotice problem={rotating.error} what="The external id was not changed" />}
      {onboarding == null ? (
        <>
          <p className={classes.none}>
            The roles are used with an external id of this connection alone. It can be changed without a gap.
          </p>
          <ConfirmButton
            ask="Change external id"
            confirm="Make another one"
            busy={rotating.isPending}
            onConfirm={() => rotating.mutate()}
          />
        </>
      ) : (
        <div role="status">
          <p className={classes.none}>
            Update the stack in account {instance.account_id} with these parameters: the roles then accept both external
            ids, and the next check takes up the new one. Then come back for the parameters without the old one.
          </p>
          <DeployWays onboarding={onboarding} />
        </div>
      )}
    </div>
  );
}
