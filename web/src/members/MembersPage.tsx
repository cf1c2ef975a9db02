/** Who belongs to the tenant, and who is invited to. */
import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { mayManage } from "../session/roles";
import { useSession } from "../session/session";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Page, Section } from "../ui/Page";
import { InvitationList } from "./InvitationList";
import { InviteMember } from "./InviteMember";
import { MemberList } from "./MemberList";
import { invitationsQuery, membersQuery } from "./members";

export function MembersPage() {
  const { me } = useSession();
  const client = useQueryClient();
  const [inviting, setInviting] = useState(false);
  const changed = () => {
    void client.invalidateQueries({ queryKey: ["members"] });
    void client.invalidateQueries({ queryKey: ["invitations"] });
  };
  const manages = mayManage(me);
  return (
    <Page
      title="Members"
      lead="People who sign in to this tenant. Programs have API keys instead."
      actions={manages && !inviting && <Button onClick={() => setInviting(true)}>Invite somebody</Button>}
    >
      {inviting && <InviteMember onInvited={changed} onClose={() => setInviting(false)} />}
      <Members onChanged={changed} />
      {manages && <Invitations onChanged={changed} />}
    </Page>
  );
}

function Members({ onChanged }: { onChanged: () => void }) {
  const { api } = useSession();
  const members = useQuery(membersQuery(api));
  if (members.isError) {
    return (
      <ProblemNotice
        problem={members.error}
        what="The members could not be read"
        onRetry={() => void members.refetch()}
      />
    );
  }
  if (members.data === undefined) return null;
  if (members.data.length === 0) {
    return (
      <Empty title="Nobody is a member yet">
        <p>An owner or admin invites people; until then the tenant is reached with API keys.</p>
      </Empty>
    );
  }
  return <MemberList members={members.data} onChanged={onChanged} />;
}

function Invitations({ onChanged }: { onChanged: () => void }) {
  const { api } = useSession();
  const open = useQuery(invitationsQuery(api));
  if (open.isError) return <ProblemNotice problem={open.error} what="The invitations could not be read" />;
  if (open.data === undefined || open.data.length === 0) return null;
  return (
    <Section title="Open invitations">
      <InvitationList invitations={open.data} onChanged={onChanged} />
    </Section>
  );
}
