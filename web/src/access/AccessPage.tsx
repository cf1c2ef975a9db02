/** How programs reach the tenant: API keys, and the identity providers whose tokens are accepted. */
import { useSession } from "../session/session";
import { mayManage } from "../session/roles";
import { Empty } from "../ui/Notice";
import { Page } from "../ui/Page";
import { Keys } from "./Keys";
import { Issuers } from "./Issuers";

export function AccessPage() {
  const { me } = useSession();
  return (
    <Page title="Access" lead="How your programs reach Ringfence. People sign in as members.">
      {mayManage(me) ? (
        <>
          <Keys />
          <Issuers />
        </>
      ) : (
        <Empty title="Access is for admins and owners">
          <p>Ask an owner of this tenant for one of these roles.</p>
        </Empty>
      )}
    </Page>
  );
}
