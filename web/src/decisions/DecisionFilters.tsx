import { Select } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";

import type { Instance } from "../api/types";
import classes from "./DecisionFilters.module.css";
import { isOutcome, lookOf, OUTCOMES } from "./outcomes";
import { type DecisionSearch, readDecisionSearch } from "./search";

/** Among the page's landmarks, and whole where the screen is tall enough. */
const LISTED = { comboboxProps: { withinPortal: false }, maxDropdownHeight: "min(30rem, 60dvh)" };

interface Props {
  search: DecisionSearch;
  instances: Instance[];
}

export function DecisionFilters({ search, instances }: Props) {
  const navigate = useNavigate({ from: "/decisions" });
  const change = (part: Record<string, unknown>) =>
    void navigate({ search: (before) => readDecisionSearch({ ...before, ...part }), replace: true });
  return (
    <div className={classes.filters} role="group" aria-label="Filters">
      <Select
        aria-label="Outcome"
        placeholder="All outcomes"
        {...LISTED}
        clearable
        clearButtonProps={{ "aria-label": "All outcomes" }}
        value={search.outcome ?? null}
        data={OUTCOMES.map((value) => ({ value, label: lookOf(value).label }))}
        onChange={(value) => change({ outcome: isOutcome(value) ? value : undefined })}
      />
      <Select
        aria-label="Instance"
        placeholder="All instances"
        {...LISTED}
        clearable
        clearButtonProps={{ "aria-label": "All instances" }}
        value={search.instance ?? null}
        data={instances.map(({ id, name }) => ({ value: id, label: name }))}
        onChange={(value) => change({ instance: value ?? undefined })}
      />
    </div>
  );
}
