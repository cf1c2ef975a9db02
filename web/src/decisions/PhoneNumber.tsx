/** Phone numbers, masked unless the viewer chose to see them; the choice ends with the page. */
import { Switch } from "@mantine/core";
import { createContext, type ReactNode, useContext, useMemo, useState } from "react";

import { masked, revealed, spokenMasked } from "../text/phone";

interface Reveal {
  shown: boolean;
  setShown: (shown: boolean) => void;
}

const RevealContext = createContext<Reveal>({ shown: false, setShown: () => {} });

export function RevealProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState(false);
  const reveal = useMemo(() => ({ shown, setShown }), [shown]);
  return <RevealContext value={reveal}>{children}</RevealContext>;
}

export function RevealSwitch() {
  const { shown, setShown } = useContext(RevealContext);
  return <Switch label="Show numbers" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />;
}

export function PhoneNumber({ number }: { number: string | null | undefined }) {
  const { shown } = useContext(RevealContext);
  if (number == null) return <span>–</span>;
  if (shown) return <span className="figures">{revealed(number)}</span>;
  return (
    <span className="figures">
      <span aria-hidden="true">{masked(number)}</span>
      <span className="visually-hidden">{spokenMasked(number)}</span>
    </span>
  );
}
