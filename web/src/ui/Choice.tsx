/** One of a few, all of them in sight. */
import { Radio } from "@mantine/core";

import { Choices } from "./Panel";

interface Props<T extends string> {
  label: string;
  /** What can be chosen, with how it is told, in this order. */
  options: Record<T, string>;
  value: T;
  onChange: (chosen: T) => void;
  error?: string | null;
}

export function Choice<T extends string>({ label, options, value, onChange, error = null }: Props<T>) {
  return (
    <Radio.Group label={label} value={value} onChange={(chosen) => onChange(chosen as T)} error={error}>
      <Choices>
        {(Object.keys(options) as T[]).map((option) => (
          <Radio key={option} value={option} label={options[option]} />
        ))}
      </Choices>
    </Radio.Group>
  );
}
