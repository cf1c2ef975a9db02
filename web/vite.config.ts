import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env["RINGFENCE_API_URL"] ?? "http://127.0.0.1:8080";
// Old enough for light-dark() in the style sheets to stay as written.
const browsers = ["chrome123", "firefox120", "safari17.5"];

export default defineConfig({
  plugins: [react()],
  build: {
    rolldownOptions: { input: ["index.html", "docs.html"] },
    target: browsers,
    cssTarget: browsers,
    // Inlined files would need data: in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/v1": api, "/auth": api, "/openapi.json": api },
  },
  preview: { host: "127.0.0.1" },
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
    env: { TZ: "Europe/Paris" },
  },
});
