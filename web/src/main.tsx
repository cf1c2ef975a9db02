import "./app/tokens.css";
import "./app/base.css";
import "./app/mantine";

import { MantineProvider } from "@mantine/core";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { router } from "./app/router";
import { theme } from "./app/theme";
import { SessionGate } from "./session/SessionGate";
import { NowProvider } from "./ui/now";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element to show the dashboard in");

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <NowProvider>
        <SessionGate>
          <RouterProvider router={router} />
        </SessionGate>
      </NowProvider>
    </MantineProvider>
  </StrictMode>,
);
