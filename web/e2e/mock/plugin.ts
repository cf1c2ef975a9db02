/** Puts the mock API, and the server's Content-Security-Policy, in front of Vite's servers. */
import type { Connect, Plugin } from "vite";

import { answer } from "./api.ts";

const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const serve: Connect.NextHandleFunction = (request, response, next) => {
  const url = new URL(request.url ?? "/", "http://mock");
  if (!url.pathname.startsWith("/v1/")) return next();
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const sent = { method: request.method ?? "GET", text: Buffer.concat(parts).toString() };
    const { status, body } = answer(url, request.headers.authorization, Date.now(), sent);
    response.statusCode = status;
    if (body === undefined) return response.end();
    response.setHeader("Content-Type", status < 400 ? "application/json" : "application/problem+json");
    return response.end(JSON.stringify(body));
  });
};

const guard: Connect.NextHandleFunction = (_request, response, next) => {
  response.setHeader("Content-Security-Policy", POLICY);
  next();
};

export function mockApi(): Plugin {
  return {
    name: "mock-api",
    configureServer: (server) => void server.middlewares.use(serve),
    configurePreviewServer: (server) => {
      server.middlewares.use(guard);
      server.middlewares.use(serve);
    },
  };
}
