/** A form, or what came of it, in a frame of its own above the list that it adds to. */
import { Button } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";

import { isToldAtFields } from "../api/faults";
import { ProblemNotice } from "./Notice";
import classes from "./Panel.module.css";

interface FormProps {
  title: string;
  /** What the form asks the API for. */
  asking: { isPending: boolean; error: Error | null; mutate: () => void };
  /** On the button: "Add". */
  submit: string;
  /** What did not happen: "The number was not added". `null` where the fields tell it. */
  failure: string | null;
  onClose?: (() => void) | undefined;
  /** Beside the buttons, when something came of it and the form stays. */
  news?: string | null;
  children: ReactNode;
}

export function FormPanel({ title, asking, submit, failure, onClose, news = null, children }: FormProps) {
  function send(event: FormEvent) {
    event.preventDefault();
    if (!asking.isPending) asking.mutate();
  }
  return (
    <form className={classes.panel} onSubmit={send} noValidate aria-label={title}>
      <h2>{title}</h2>
      {children}
      {asking.error !== null && failure !== null && !isToldAtFields(asking.error) && (
        <ProblemNotice problem={asking.error} what={failure} />
      )}
      <Buttons>
        <Button type="submit" loading={asking.isPending}>
          {submit}
        </Button>
        {onClose !== undefined && (
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        )}
        {news !== null && (
          <p className={classes.news} role="status">
            {news}
          </p>
        )}
      </Buttons>
    </form>
  );
}

export function Panel({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.panel} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Fields({ children }: { children: ReactNode }) {
  return <div className={classes.fields}>{children}</div>;
}

export function Choices({ children }: { children: ReactNode }) {
  return <div className={classes.choices}>{children}</div>;
}

export function Buttons({ children }: { children: ReactNode }) {
  return <div className={classes.buttons}>{children}</div>;
}

export function PanelText({ children, isNews = false }: { children: ReactNode; isNews?: boolean }) {
  return (
    <p className={classes.text} role={isNews ? "status" : undefined}>
      {children}
    </p>
  );
}
