/** Mantine in this dashboard's clothes; the colours themselves are in tokens.css. */
import {
  Button,
  createTheme,
  DrawerRoot,
  type MantineColorsTuple,
  PasswordInput,
  SegmentedControl,
  Select,
  Skeleton,
  TextInput,
  Tooltip,
} from "@mantine/core";

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

/** The fifth of the greys, and of the darks, is the edge of fields and boxes: three to one with what is around them. */
const gray: MantineColorsTuple = [
  "#f6f9f8",
  "#e9eeec",
  "#dbe3e0",
  "#cbd6d2",
  "#7f908a",
  "#93a49e",
  "#5a6c66",
  "#465853",
  "#2a3a36",
  "#10201c",
];
const dark: MantineColorsTuple = [
  "#e7efec",
  "#adbdb7",
  "#8fa19b",
  "#5b6d67",
  "#62756f",
  "#24302d",
  "#1a2422",
  "#141c1a",
  "#0d1312",
  "#0a0f0e",
];

export const theme = createTheme({
  colors: { petrol, gray, dark },
  primaryColor: "petrol",
  primaryShade: { light: 7, dark: 4 },
  fontFamily: "var(--sans)",
  fontFamilyMonospace: "var(--mono)",
  defaultRadius: 6,
  cursorType: "pointer",
  components: {
    Button: Button.extend({
      defaultProps: { size: "sm" },
      styles: { label: { fontWeight: 550 } },
      // Mantine picks one text colour for both schemes; the accent needs one for each.
      vars: (_theme, { variant }) => ({
        root:
          variant === undefined || variant === "filled"
            ? {
                "--button-bg": "var(--accent)",
                "--button-hover": "var(--accent-hover)",
                "--button-color": "var(--on-accent)",
              }
            : {},
      }),
    }),
    DrawerRoot: DrawerRoot.extend({ defaultProps: { lockScroll: false } }),
    PasswordInput: PasswordInput.extend({ defaultProps: { size: "md" } }),
    SegmentedControl: SegmentedControl.extend({
      defaultProps: { withItemsBorders: false },
      styles: { root: { background: "var(--track)" } },
    }),
    Select: Select.extend({ defaultProps: { size: "sm", checkIconPosition: "right" } }),
    Skeleton: Skeleton.extend({ defaultProps: { radius: 4 } }),
    TextInput: TextInput.extend({ defaultProps: { size: "sm" } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 250, events: { hover: true, focus: true, touch: true } } }),
  },
});
