import { useMutation } from "@tanstack/react-query";

import type { Invitation } from "../api/types";
import { useSession } from "../session/session";
import { ConfirmButton } from "../ui/ConfirmButton";
import { ProblemNotice } from "../ui/Notice";
import classes from "../ui/Rows.module.css";
import { Time } from "../ui/Time";
import { withdraw } from "./members";

interface Props {
  invitations: Invitation[];
  onChanged: () => void;
}

export function InvitationList({ invitations, onChanged }: Props) {
  const { api } = useSession();
  const withdrawing = useMutation({ mutationFn: (id: string) => withdraw(api, id), onSettled: onChanged });
  return (
    <>
      {withdrawing.isError && <ProblemNotice problem={withdrawing.error} what="The invitation was not withdrawn" />}
      <ul className={classes.list} aria-label="Open invitations">
        {invitations.map((invitation) => (
          <li key={invitation.id}>
            <div className={classes.who}>
              <span className={classes.name}>{invitation.email ?? "Whoever has the link"}</span>
              <span className={classes.small}>
                until <Time at={invitation.expires_at} />
              </span>
            </div>
            <span className={classes.role}>{invitation.role}</span>
            <ConfirmButton
              onConfirm={() => withdrawing.mutate(invitation.id)}
              busy={withdrawing.isPending}
              ask="Withdraw"
              confirm="Really withdraw"
            />
          </li>
        ))}
      </ul>
    </>
  );
}
