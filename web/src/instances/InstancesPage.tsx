import { useQuery } from "@tanstack/react-query";

import { instancesQuery } from "../api/queries";
import { useSession } from "../session/session";
import { CopyBlock } from "../ui/Copy";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Page } from "../ui/Page";
import { InstanceList, InstanceListSkeleton } from "./InstanceList";
import { registerCommand } from "./commands";

export function InstancesPage() {
  return (
    <Page title="Instances" lead="The Amazon Connect instances whose outbound calls are limited.">
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
  return (
    <Empty title="Register your first instance">
      <p>
        Send the ARN of your Amazon Connect instance, with your API key in <span className="mono">$KEY</span>. The
        answer has a link that deploys the two roles Ringfence needs in your account; after that, the instance appears
        here and walks you through the rest.
      </p>
      <CopyBlock what="command" value={registerCommand(window.location.origin)} />
    </Empty>
  );
}
