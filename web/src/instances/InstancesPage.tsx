import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { instancesQuery } from "../api/queries";
import { mayManage } from "../session/roles";
import { useSession } from "../session/session";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Page } from "../ui/Page";
import { InstanceList, InstanceListSkeleton } from "./InstanceList";
import { RegisterInstance } from "./RegisterInstance";

export function InstancesPage() {
  const { api, me } = useSession();
  const [registering, setRegistering] = useState(false);
  const hasSome = useQuery({ ...instancesQuery(api), select: ({ length }) => length > 0 }).data === true;
  const offers = mayManage(me) && hasSome && !registering;
  return (
    <Page
      title="Instances"
      lead="The Amazon Connect instances whose outbound calls are limited."
      actions={offers && <Button onClick={() => setRegistering(true)}>Register an instance</Button>}
    >
      {registering && <RegisterInstance onClose={() => setRegistering(false)} />}
      <Body />
    </Page>
  );
}

function Body() {
  const { api } = useSession();
  const instances = useQuery(instancesQuery(api));
  if (instances.data === undefined) {
    if (!instances.isError) return <InstanceListSkeleton />;
    return (
      <ProblemNotice
        problem={instances.error}
        what="The instances could not be read"
        onRetry={() => void instances.refetch()}
      />
    );
  }
  if (instances.data.length === 0) return <NoInstances />;
  return (
    <>
      {instances.isError && (
        <ProblemNotice
          problem={instances.error}
          what="What you see may be out of date"
          onRetry={() => void instances.refetch()}
        />
      )}
      <InstanceList instances={instances.data} />
    </>
  );
}

function NoInstances() {
  const { me } = useSession();
  if (!mayManage(me)) {
    return (
      <Empty title="There is no instance yet">
        <p>Ask an admin or owner of this tenant to register your Amazon Connect instance.</p>
      </Empty>
    );
  }
  return (
    <>
      <Empty title="Register your first instance">
        <p>
          Tell Ringfence the ARN of your Amazon Connect instance. Its page then walks you through the rest: two roles in
          your account, a check of each permission, and the installation.
        </p>
      </Empty>
      <RegisterInstance />
    </>
  );
}
