import "../app/tokens.css";
import "../app/base.css";
import "./page.css";
import "rapidoc/dist/rapidoc-min.js"; // complete in itself: see packages.test.ts

const element = document.querySelector("rapi-doc");
if (element === null) throw new Error("docs.html has no element to show the operations in");
const docs = element;

const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** The component takes colours as text, so the page's own are read from the style sheet. */
function paint(): void {
  const style = getComputedStyle(document.documentElement);
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (token: string): string => {
    probe.style.color = style.getPropertyValue(token);
    return getComputedStyle(probe).color;
  };
  docs.setAttribute("theme", dark.matches ? "dark" : "light");
  docs.setAttribute("bg-color", hex(colour("--ground")));
  docs.setAttribute("nav-bg-color", hex(colour("--surface")));
  docs.setAttribute("text-color", hex(colour("--ink")));
  docs.setAttribute("primary-color", hex(colour("--accent")));
  probe.remove();
}

function hex(rgb: string): string {
  const parts = rgb.match(/\d+(\.\d+)?/g) ?? [];
  return `#${parts
    .slice(0, 3)
    .map((part) => Math.round(Number(part)).toString(16).padStart(2, "0"))
    .join("")}`;
}

paint();
dark.addEventListener("change", paint);
