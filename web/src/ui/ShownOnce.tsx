/** A secret, or a link that is one: it is shown here and nowhere else. */
import { Button } from "@mantine/core";

import { CopyBlock } from "./Copy";
import { Buttons, Panel, PanelText } from "./Panel";

interface Props {
  title: string;
  /** What it is for, and that it is not shown again. */
  children: string;
  value: string;
  /** "key", "link". */
  what: string;
  onClose: () => void;
}

export function ShownOnce({ title, children, value, what, onClose }: Props) {
  return (
    <Panel title={title}>
      <PanelText isNews>{children}</PanelText>
      <CopyBlock value={value} what={what} />
      <Buttons>
        <Button onClick={onClose}>I have copied it</Button>
      </Buttons>
    </Panel>
  );
}
