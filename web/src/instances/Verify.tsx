/** Has the roles tried, and tells what came of it; every check then stands under Connection. */
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { ApiProblem } from "../api/problem";
import type { Instance } from "../api/types";
import { useSession } from "../session/session";
import { ProblemNotice } from "../ui/Notice";
import { Buttons, PanelText } from "../ui/Panel";
import { verify } from "./actions";

export function Verify({ instance }: { instance: Instance }) {
  const { api } = useSession();
  const client = useQueryClient();
  const verifying = useMutation({
    mutationFn: () => verify(api, instance.id),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["instances"] });
      return client.invalidateQueries({ queryKey: ["instance", instance.id] });
    },
  });
  const missing = verifying.error instanceof ApiProblem && verifying.error.code === "verification_failed";
  return (
    <>
      <Buttons>
        <Button loading={verifying.isPending} onClick={() => verifying.mutate()}>
          Verify
        </Button>
      </Buttons>
      {verifying.isPending && (
        <PanelText isNews>Trying the roles, and each permission. Amazon Connect is asked once a second.</PanelText>
      )}
      {missing && (
        <PanelText isNews>
          Not everything is in order yet. What is missing stands under Connection, with what to do about it.
        </PanelText>
      )}
      {verifying.isError && !missing && (
        <ProblemNotice problem={verifying.error} what="The instance was not verified" />
      )}
    </>
  );
}
