/** Mantine in this dashboard's clothes; the colours themselves are in tokens.css. */
import { Button, createTheme, Drawer, type MantineColorsTuple, PasswordInput, SegmentedControl, Select, Skeleton, Tooltip } from "@mantine/core";

const petrol: MantineColorsTuple = [
  "#e9f6f3",
  "#d3ebe6",
  "#a6d8cd",
  "#76c5b4",
  "#5ecdb9",
  "#2f9d8a",
  "#16806f",
  "#0b6156",
  "#084c43",
  "#053831",
];

export const theme = createTheme({
  colors: { petrol },
  primaryColor: "petrol",
  primaryShade: { light: 7, dark: 4 },
  autoContrast: true,
  fontFamily: "var(--sans)",
  fontFamilyMonospace: "var(--mono)",
  defaultRadius: 6,
  cursorType: "pointer",
  components: {
    Button: Button.extend({ defaultProps: { size: "sm" }, styles: { label: { fontWeight: 550 } } }),
    Drawer: Drawer.extend({ defaultProps: { overlayProps: { backgroundOpacity: 0.35 } } }),
    PasswordInput: PasswordInput.extend({ defaultProps: { size: "md" } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { withItemsBorders: false } }),
    Select: Select.extend({ defaultProps: { size: "sm", checkIconPosition: "right" } }),
    Skeleton: Skeleton.extend({ defaultProps: { radius: 4 } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 250, events: { hover: true, focus: true, touch: true } } }),
  },
});
