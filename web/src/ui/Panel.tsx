/** A form, or what came of it, in a frame of its own above the list that it adds to. */
import type { FormEvent, ReactNode } from "react";

import classes from "./Panel.module.css";

interface FormProps {
  title: string;
  onSubmit: () => void;
  children: ReactNode;
}

export function FormPanel({ title, onSubmit, children }: FormProps) {
  function submit(event: FormEvent) {
    event.preventDefault();
    onSubmit();
  }
  return (
    <form className={classes.panel} onSubmit={submit} noValidate aria-label={title}>
      <h2>{title}</h2>
      {children}
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
