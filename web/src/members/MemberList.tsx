import { NativeSelect } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";

import type { Member, Role } from "../api/types";
import { givable, mayTouch } from "../session/roles";
import { useSession } from "../session/session";
import { ConfirmButton } from "../ui/ConfirmButton";
import { ProblemNotice } from "../ui/Notice";
import classes from "../ui/Rows.module.css";
import { Time } from "../ui/Time";
import { changeRole, removeMember } from "./members";

interface Props {
  members: Member[];
  onChanged: () => void;
}

export function MemberList({ members, onChanged }: Props) {
  const { api } = useSession();
  const changing = useMutation({
    mutationFn: ({ id, role }: { id: string; role: Role }) => changeRole(api, id, role),
    onSettled: onChanged,
  });
  const removing = useMutation({ mutationFn: (id: string) => removeMember(api, id), onSettled: onChanged });
  return (
    <>
      {changing.isError && <ProblemNotice problem={changing.error} what="The role was not changed" />}
      {removing.isError && <ProblemNotice problem={removing.error} what="The member was not removed" />}
      <ul className={classes.list} aria-label="Members">
        {members.map((member) => (
          <li key={member.id}>
            <Who member={member} />
            <RoleOf member={member} onChange={(role) => changing.mutate({ id: member.id, role })} />
            <Remove member={member} onRemove={() => removing.mutate(member.id)} busy={removing.isPending} />
          </li>
        ))}
      </ul>
    </>
  );
}

const nameOf = (member: Member) => member.name ?? member.email ?? member.id;

function Who({ member }: { member: Member }) {
  const { me } = useSession();
  return (
    <div className={classes.who}>
      <span className={classes.name}>
        {nameOf(member)}
        {me.member_id === member.id && <span className={classes.small}> (you)</span>}
      </span>
      <span className={classes.small}>
        {member.name != null && member.email != null && <>{member.email} · </>}
        since <Time at={member.created_at} />
      </span>
    </div>
  );
}

function RoleOf({ member, onChange }: { member: Member; onChange: (role: Role) => void }) {
  const { me } = useSession();
  if (!mayTouch(me, member)) return <span className={classes.role}>{member.role}</span>;
  return (
    <NativeSelect
      aria-label={`Role of ${nameOf(member)}`}
      value={member.role}
      data={givable(me)}
      onChange={(event) => onChange(event.currentTarget.value as Role)}
    />
  );
}

function Remove({ member, onRemove, busy }: { member: Member; onRemove: () => void; busy: boolean }) {
  const { me } = useSession();
  if (!mayTouch(me, member)) return null;
  return <ConfirmButton onConfirm={onRemove} busy={busy} ask="Remove" confirm="Really remove" />;
}
