import { Button, FileButton } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";

import { ApiProblem } from "../api/problem";
import { useSession } from "../session/session";
import { ProblemNotice } from "../ui/Notice";
import { Buttons, Panel, PanelText } from "../ui/Panel";
import { importedText, importNumbers, LISTS } from "./lists";
import classes from "./Numbers.module.css";
import type { ListName } from "./search";

const FAULTS_SHOWN = 100;

interface Props {
  list: ListName;
  onDone: () => void;
  onClose: () => void;
}

export function ImportNumbers({ list, onDone, onClose }: Props) {
  const { api } = useSession();
  const importing = useMutation({
    mutationFn: async (file: File) => importNumbers(api, list, await file.text()),
    onSuccess: onDone,
  });
  const problem = importing.error instanceof ApiProblem && importing.error.errors.length > 0 ? importing.error : null;
  return (
    <Panel title={`Import numbers: ${LISTS[list].label.toLowerCase()}`}>
      <PanelText>
        A CSV file whose first line is <span className="mono">number,reason,expires_at</span>, with at most 50,000 rows.
        Numbers have their country code; an empty <span className="mono">expires_at</span> means until it is removed.
        Either every row is taken or none. Sending the same file again changes nothing.
      </PanelText>
      <Buttons>
        <FileButton accept=".csv,text/csv" onChange={(file) => file !== null && importing.mutate(file)}>
          {(props) => (
            <Button {...props} loading={importing.isPending}>
              Choose a file
            </Button>
          )}
        </FileButton>
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
      </Buttons>
      {importing.isSuccess && (
        <p className={classes.done} role="status">
          {importedText(importing.data)}
        </p>
      )}
      {problem !== null && <Faults problem={problem} />}
      {importing.isError && problem === null && (
        <ProblemNotice problem={importing.error} what="The file was not imported" />
      )}
    </Panel>
  );
}

function Faults({ problem }: { problem: ApiProblem }) {
  const shown = problem.errors.slice(0, FAULTS_SHOWN);
  const more = problem.errors.length - shown.length;
  return (
    <div role="alert">
      <p className={classes.fault}>Nothing was imported. Mend these and send the file again:</p>
      <ul className={classes.faults} tabIndex={0} aria-label="Faults">
        {shown.map((fault) => (
          <li key={fault.pointer}>
            {fault.pointer.split("/")[2] ?? ""} {fault.detail}
          </li>
        ))}
      </ul>
      {more > 0 && <PanelText>And {more.toLocaleString("en")} more.</PanelText>}
    </div>
  );
}
