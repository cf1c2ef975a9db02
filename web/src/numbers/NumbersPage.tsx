/** The numbers that are never called, and those that no limit holds back. */
import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { ApiProblem } from "../api/problem";
import { RevealProvider, RevealSwitch } from "../decisions/PhoneNumber";
import { useSession } from "../session/session";
import { Empty, ProblemNotice } from "../ui/Notice";
import { Page } from "../ui/Page";
import { AddNumber } from "./AddNumber";
import { ImportNumbers } from "./ImportNumbers";
import { LISTS, mayEdit, numbersQuery } from "./lists";
import { LookUp } from "./LookUp";
import { wholeNumber } from "./standing";
import { NumberList, NumberListSkeleton } from "./NumberList";
import classes from "./NumbersPage.module.css";
import type { ListName } from "./search";

type Panel = "add" | "import" | null;

export function NumbersPage({ list }: { list: ListName }) {
  const { me } = useSession();
  const navigate = useNavigate({ from: "/numbers" });
  const client = useQueryClient();
  const [panel, setPanel] = useState<Panel>(null);
  const [wanted, setWanted] = useState("");
  const [lookedUp, setLookedUp] = useState<string | null>(null);
  const found = wholeNumber(wanted);
  const changed = () => void client.invalidateQueries({ queryKey: ["numbers"] });
  return (
    <Page title="Numbers" lead="Numbers that are never called, and numbers that no limit holds back.">
      <RevealProvider>
        <div className={classes.bar}>
          <SegmentedControl
            aria-label="List"
            value={list}
            data={(Object.keys(LISTS) as ListName[]).map((value) => ({ value, label: LISTS[value].label }))}
            onChange={(value) => void navigate({ search: { list: value as ListName }, replace: true })}
          />
          <RevealSwitch />
        </div>
        <p className={classes.meaning}>{LISTS[list].meaning}</p>
        <div className={classes.bar}>
          <div className={classes.look}>
            <TextInput
              className={classes.find ?? ""}
              aria-label="Find a number"
              placeholder="Find a number, +1…"
              autoComplete="off"
              inputMode="tel"
              value={wanted}
              onChange={(event) => setWanted(event.currentTarget.value)}
              onKeyDown={(event) => event.key === "Enter" && setLookedUp(found)}
            />
            <Button variant="default" disabled={found === null} onClick={() => setLookedUp(found)}>
              Look up
            </Button>
          </div>
          {mayEdit(me) && (
            <div className={classes.buttons}>
              <Button variant="default" onClick={() => setPanel("import")}>
                Import CSV
              </Button>
              <Button onClick={() => setPanel("add")}>{LISTS[list].add}</Button>
            </div>
          )}
        </div>
        {lookedUp !== null && <LookUp key={lookedUp} number={lookedUp} onClose={() => setLookedUp(null)} />}
        {panel === "add" && <AddNumber key={list} list={list} onAdded={changed} onClose={() => setPanel(null)} />}
        {panel === "import" && <ImportNumbers key={list} list={list} onDone={changed} onClose={() => setPanel(null)} />}
        <Rows list={list} wanted={wanted.replaceAll(/[^+\d]/g, "")} onChanged={changed} />
      </RevealProvider>
    </Page>
  );
}

interface RowsProps {
  list: ListName;
  wanted: string;
  onChanged: () => void;
}

/** What is typed may be on its way to one. */
function isNoNumber(problem: unknown): boolean {
  return problem instanceof ApiProblem && problem.status === 400;
}

function emptyText(editable: boolean, number: string): string {
  if (number !== "") return "It may be in the other one. Numbers are found by all their digits, country code included.";
  return editable
    ? "Add one, or import a CSV file with many. The limiters know of each within seconds."
    : "An editor of this tenant can add some.";
}

/** Shorter texts are not asked for: they are no numbers yet. */
const SHORTEST_NUMBER = 8;

function Rows({ list, wanted, onChanged }: RowsProps) {
  const { api, me } = useSession();
  const number = wanted.length < SHORTEST_NUMBER ? "" : wanted;
  const numbers = useInfiniteQuery(numbersQuery(api, list, number));
  if (numbers.data === undefined) {
    if (!numbers.isError) return <NumberListSkeleton />;
    if (isNoNumber(numbers.error)) {
      return (
        <Empty title="This is not a whole number yet">
          <p>Numbers are found by all their digits, country code included.</p>
        </Empty>
      );
    }
    return (
      <ProblemNotice
        problem={numbers.error}
        what="The numbers could not be read"
        onRetry={() => void numbers.refetch()}
      />
    );
  }
  const rows = numbers.data.pages.flatMap((page) => page.data);
  if (rows.length === 0) {
    return (
      <Empty title={number === "" ? LISTS[list].none : "This number is not in the list"}>
        <p>{emptyText(mayEdit(me), number)}</p>
      </Empty>
    );
  }
  return (
    <>
      <NumberList list={list} rows={rows} editable={mayEdit(me)} onChanged={onChanged} />
      {numbers.hasNextPage && (
        <Button
          variant="default"
          className={classes.more ?? ""}
          loading={numbers.isFetchingNextPage}
          onClick={() => void numbers.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </>
  );
}
