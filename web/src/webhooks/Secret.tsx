/** A signing secret, shown once. */
import { Button } from "@mantine/core";

import { CopyBlock } from "../ui/Copy";
import classes from "./Webhooks.module.css";

interface Props {
  title: string;
  secret: string;
  onClose: () => void;
}

export function Secret({ title, secret, onClose }: Props) {
  return (
    <section className={classes.panel} aria-label={title}>
      <h2>{title}</h2>
      <p role="status">Messages are signed with this secret. Copy it now: it is not shown again.</p>
      <CopyBlock value={secret} what="signing secret" />
      <div className={classes.buttons}>
        <Button onClick={onClose}>I have copied it</Button>
      </div>
    </section>
  );
}
