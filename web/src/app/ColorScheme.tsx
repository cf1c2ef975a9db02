import { type MantineColorScheme, SegmentedControl, useMantineColorScheme } from "@mantine/core";

import { Icon, type IconName } from "../ui/Icon";

const CHOICES: { value: MantineColorScheme; label: string; icon: IconName }[] = [
  { value: "auto", label: "As the system", icon: "auto" },
  { value: "light", label: "Light", icon: "sun" },
  { value: "dark", label: "Dark", icon: "moon" },
];

export function ColorScheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      aria-label="Colours"
      size="xs"
      fullWidth
      value={colorScheme}
      onChange={(value) => setColorScheme(value as MantineColorScheme)}
      data={CHOICES.map(({ value, label, icon }) => ({
        value,
        label: (
          <span style={{ display: "grid", placeItems: "center" }} title={label}>
            <Icon name={icon} size={16} />
            <span className="visually-hidden">{label}</span>
          </span>
        ),
      }))}
    />
  );
}
