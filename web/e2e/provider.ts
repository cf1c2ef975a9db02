/** A certified OpenID provider on this machine, where everybody is who they say they are. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import Provider, { type Configuration } from "oidc-provider";

export interface Running {
  issuer: string;
  close: () => Promise<void>;
}

interface Options {
  port: number;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
}

const PAGE = `<!doctype html><html lang="en"><title>Provider</title>
<link rel="icon" href="data:,"><form method="post">
<label>Who are you? <input name="login" autofocus></label><button>Continue</button></form>`;

export async function startProvider({ port, clientId, clientSecret, redirectUri }: Options): Promise<Running> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(
    issuer,
    configuration({ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }),
  );
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith("/interaction/")) return next();
    if (ctx.method !== "POST") {
      ctx.type = "html";
      ctx.body = PAGE;
      return;
    }
    const accountId = new URLSearchParams(await bodyOf(ctx.req)).get("login") ?? "nobody";
    // The answer is written by the provider itself.
    ctx.respond = false;
    await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId } });
  });
  server.on("request", provider.callback());
  return { issuer, close: () => closed(server) };
}

function configuration(client: { client_id: string; client_secret: string; redirect_uris: string[] }): Configuration {
  return {
    clients: [client],
    cookies: { keys: ["for one test only"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    pkce: { required: () => true },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: nameOf(id), email: `${id}@example.com`, email_verified: true }),
    }),
    // Consent is not what is tested: everything that is asked for is granted.
    loadExistingGrant: async (ctx) => {
      const { client: asking, session } = ctx.oidc;
      const grant = new ctx.oidc.provider.Grant({
        ...(asking === undefined ? {} : { clientId: asking.clientId }),
        ...(session?.accountId === undefined ? {} : { accountId: session.accountId }),
      });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  };
}

function nameOf(id: string): string {
  return `${id.charAt(0).toUpperCase()}${id.slice(1)}`;
}

async function bodyOf(request: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const part of request) text += String(part);
  return text;
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((done) => server.close(() => done()));
}
