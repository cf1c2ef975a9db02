/** A phone number, masked unless the viewer chose to see numbers. */
import { createContext, useContext } from "react";

import { masked, revealed, spokenMasked } from "../text/phone";

export const Revealed = createContext(false);

export function PhoneNumber({ number }: { number: string | null | undefined }) {
  const shown = useContext(Revealed);
  if (number == null) return <span aria-label="none">–</span>;
  if (shown) return <span className="figures">{revealed(number)}</span>;
  return (
    <span className="figures">
      <span aria-hidden="true">{masked(number)}</span>
      <span className="visually-hidden">{spokenMasked(number)}</span>
    </span>
  );
}
