import { Link } from "@tanstack/react-router";

import { Empty } from "../ui/Notice";
import { Page } from "../ui/Page";

export function NotFound() {
  return (
    <Page title="Nothing here">
      <Empty title="There is no page at this address">
        <p>
          It may be mistyped or from another version. Go to <Link to="/instances">your instances</Link> or to{" "}
          <Link to="/decisions">the decisions</Link>.
        </p>
      </Empty>
    </Page>
  );
}
