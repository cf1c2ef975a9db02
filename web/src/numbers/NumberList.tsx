/** The rows of a list: a table where there is room, cards where there is not. */
import { Skeleton } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";

import type { ListedNumber } from "../api/types";
import { PhoneNumber } from "../decisions/PhoneNumber";
import { useSession } from "../session/session";
import { Badge } from "../ui/Badge";
import { ConfirmButton } from "../ui/ConfirmButton";
import { ProblemNotice } from "../ui/Notice";
import { useMinute } from "../ui/now";
import { Time } from "../ui/Time";
import { useIsNarrow } from "../ui/useIsNarrow";
import { hasExpired, removeNumber } from "./lists";
import classes from "./NumberList.module.css";
import type { ListName } from "./search";

interface Props {
  list: ListName;
  rows: ListedNumber[];
  editable: boolean;
  onChanged: () => void;
}

export function NumberList({ list, rows, editable, onChanged }: Props) {
  const narrow = useIsNarrow();
  const { api } = useSession();
  const removing = useMutation({
    mutationFn: (id: string) => removeNumber(api, list, id),
    onSettled: onChanged,
  });
  const remove = (entry: ListedNumber) =>
    editable ? (
      <ConfirmButton
        onConfirm={() => removing.mutate(entry.id)}
        busy={removing.variables === entry.id}
        ask="Remove"
        confirm="Really remove"
      />
    ) : null;
  return (
    <>
      {removing.isError && <ProblemNotice problem={removing.error} what="The number was not removed" />}
      {narrow ? (
        <ul className={classes.cards} aria-label="Numbers">
          {rows.map((entry) => (
            <li key={entry.id}>
              <div className={classes.line}>
                <span className={classes.main}>
                  <PhoneNumber number={entry.number} />
                </span>
                {remove(entry)}
              </div>
              <p>{entry.reason}</p>
              <span className={classes.small}>
                Ends: <Until entry={entry} />
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <table className={classes.table} aria-label="Numbers">
          <Head editable={editable} />
          <tbody>
            {rows.map((entry) => (
              <tr key={entry.id}>
                <td>
                  <PhoneNumber number={entry.number} />
                </td>
                <td className={classes.cut} title={entry.reason}>
                  {entry.reason}
                </td>
                <td>
                  <Until entry={entry} />
                </td>
                <td className={classes.soft}>
                  <Time at={entry.created_at} />
                </td>
                {editable && <td className={classes.end}>{remove(entry)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Head({ editable }: { editable: boolean }) {
  return (
    <thead>
      <tr>
        <th scope="col" className={classes.number}>
          Number
        </th>
        <th scope="col">Reason</th>
        <th scope="col" className={classes.time}>
          Ends
        </th>
        <th scope="col" className={classes.time}>
          Listed
        </th>
        {editable && (
          <th scope="col" className={classes.action}>
            <span className="visually-hidden">Remove</span>
          </th>
        )}
      </tr>
    </thead>
  );
}

function Until({ entry }: { entry: ListedNumber }) {
  const now = useMinute();
  if (entry.expires_at == null) return <span className={classes.soft}>When removed</span>;
  if (hasExpired(entry, now)) return <Badge tone="plain">Expired</Badge>;
  return <Time at={entry.expires_at} />;
}

export function NumberListSkeleton() {
  return (
    <div className={classes.cards} aria-hidden="true">
      {Array.from({ length: 6 }, (_, row) => (
        <Skeleton key={row} height={16} m="md" width={row % 2 === 0 ? "60%" : "45%"} />
      ))}
    </div>
  );
}
