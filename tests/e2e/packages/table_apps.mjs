// Rows of table.mjs for what whole apps are built of: models, sign-in, analytics, translations, a content store.
import { route } from "./route.mjs";

const kSink = "`http://127.0.0.1:${process.env.PORT_OF_HTTPSINK}`";
const words = (text) => text.match(/<h1>.*?<\/h1>/g)?.join("") ?? "no heading";

export const kAppRows = [
  {
    name: "ai with a mock model",
    packages: ["ai@7", "zod"],
    files: {
      "lib/model.js": `
import { simulateReadableStream } from "ai";
import { MockLanguageModelV4 } from "ai/test";
const usage = { inputTokens: { total: 1, noCache: 1 }, outputTokens: { total: 2, text: 2 } };
const deltas = ["Good", " ", "day"].map((delta) => ({ type: "text-delta", id: "1", delta }));
const chunks = [{ type: "stream-start", warnings: [] }, { type: "text-start", id: "1" }, ...deltas, { type: "text-end", id: "1" }, { type: "finish", finishReason: { unified: "stop", raw: "stop" }, usage }];
export const model = () => new MockLanguageModelV4({ doStream: async () => ({ stream: simulateReadableStream({ chunks, chunkDelayInMs: 20 }) }) });
`,
      "app/api/chat/route.js": route(`import { streamText } from "ai";\nimport { model } from "../../../lib/model";`, `return streamText({ model: model(), prompt: "Hello" }).toTextStreamResponse();`),
      "app/api/chat-ui/route.js": route(
        `import { createUIMessageStream, createUIMessageStreamResponse, streamText } from "ai";\nimport { after } from "next/server";\nimport { model } from "../../../lib/model";`,
        `after(() => console.log("after the chat"));
        const stream = createUIMessageStream({
          generateId: () => "message",
          execute: ({ writer }) => {
            writer.write({ type: "data-kind", data: "greeting", transient: true });
            writer.merge(streamText({ model: model(), prompt: "Hello" }).toUIMessageStream());
          },
        });
        return createUIMessageStreamResponse({ stream });`,
      ),
    },
    requests: ["/api/chat", "/api/chat-ui"],
    prints: /after the chat/,
  },
  {
    name: "@sentry/nextjs",
    packages: ["@sentry/nextjs@10"],
    service: "httpSink",
    config: `import { withSentryConfig } from "@sentry/nextjs";\nexport default withSentryConfig({}, { silent: true, telemetry: false, sourcemaps: { disable: true } });\n`,
    files: {
      "instrumentation.js": `
import * as Sentry from "@sentry/nextjs";
export function register() {
  Sentry.init({ dsn: "http://key@127.0.0.1:" + process.env.PORT_OF_HTTPSINK + "/1", tracesSampleRate: 1, enableLogs: true });
}
export const onRequestError = Sentry.captureRequestError;
`,
      "app/api/sentry/route.js": route(
        `import * as Sentry from "@sentry/nextjs";`,
        `const value = await Sentry.startSpan({ name: "work" }, async () => new Promise((done) => setTimeout(done, 20, "done")));
        Sentry.captureException(new Error("told to the sink"));
        return Response.json({ isInitialized: Sentry.isInitialized(), hasSpan: Boolean(Sentry.getActiveSpan()), value });`,
      ),
      "app/sentry/page.js": `
import * as Sentry from "@sentry/nextjs";
import { connection } from "next/server";
export default async function Page() {
  await connection();
  return <h1>{String(Sentry.isInitialized())}</h1>;
}
`,
    },
    // Lost there too: its wait for what it sends is for edge functions alone (getsentry/sentry-javascript#23087).
    requests: [{ path: "/api/sentry", told: /left HTTP request/ }, "/api/sentry", { path: "/sentry", mask: words }],
  },
  {
    name: "better-auth",
    packages: ["better-auth@1", "pg@8"],
    service: "realPostgres",
    env: "BETTER_AUTH_SECRET=a-secret-of-a-test-only-that-is-long\nBETTER_AUTH_URL=http://localhost:3000\n",
    files: {
      "lib/better.js": `
import { betterAuth } from "better-auth";
import { nextCookies } from "better-auth/next-js";
import pg from "pg";
const pool = new pg.Pool({ host: "127.0.0.1", port: Number(process.env.PORT_OF_REALPOSTGRES), user: "app", database: "postgres" });
export const auth = betterAuth({ basePath: "/api/better", database: pool, emailAndPassword: { enabled: true }, plugins: [nextCookies()], logger: { disabled: true } });
`,
      "app/api/better/[...all]/route.js": `import { toNextJsHandler } from "better-auth/next-js";\nimport { auth } from "../../../../lib/better";\nexport const { GET, POST } = toNextJsHandler(auth);\n`,
      "app/api/better-flow/route.js": route(
        `import { getMigrations } from "better-auth/db/migration";\nimport { auth } from "../../../lib/better";`,
        `await (await getMigrations(auth.options)).runMigrations();
        const email = "a" + Math.random() + "@example.com";
        const { headers } = await auth.api.signUpEmail({ body: { email, password: "correct-horse", name: "Ada" }, returnHeaders: true });
        const cookie = headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
        const session = await auth.api.getSession({ headers: new Headers({ cookie }) });
        return Response.json({ name: session.user.name, isSame: session.user.email === email });`,
      ),
    },
    requests: ["/api/better-flow", "/api/better/ok", "/api/better/get-session", "/api/better-flow"],
  },
  {
    name: "posthog-node",
    packages: ["posthog-node@5"],
    isQuick: true,
    service: "httpSink",
    files: {
      "app/api/posthog/route.js": route(
        `import { PostHog } from "posthog-node";`,
        `const hog = new PostHog("key", { host: ${kSink}, flushAt: 1, flushInterval: 0 });
        hog.capture({ distinctId: "me", event: "bought" });
        await hog.shutdown();
        return Response.json({ isSent: true });`,
      ),
      "app/api/posthog-after/route.js": route(
        `import { after } from "next/server";\nimport { PostHog } from "posthog-node";`,
        `const hog = new PostHog("key", { host: ${kSink} });
        hog.capture({ distinctId: "me", event: "bought" });
        after(async () => {
          await hog.shutdown();
          console.log("posthog is shut down");
        });
        return Response.json({ isSent: true });`,
      ),
    },
    requests: ["/api/posthog", "/api/posthog-after"],
    prints: /posthog is shut down/,
  },
  {
    name: "next-intl",
    packages: ["next-intl@4"],
    config: `import createNextIntlPlugin from "next-intl/plugin";\nexport default createNextIntlPlugin("./i18n.js")({ devIndicators: false });\n`,
    files: {
      "routing.js": `import { defineRouting } from "next-intl/routing";\nexport const routing = defineRouting({ locales: ["en", "de"], defaultLocale: "en" });\n`,
      "i18n.js": `
import { hasLocale } from "next-intl";
import { getRequestConfig } from "next-intl/server";
import { routing } from "./routing";
const messages = { en: { Home: { title: "Good day" } }, de: { Home: { title: "Guten Tag" } } };
export default getRequestConfig(async ({ requestLocale }) => {
  const asked = await requestLocale;
  const locale = hasLocale(routing.locales, asked) ? asked : routing.defaultLocale;
  return { locale, messages: messages[locale] };
});
`,
      "proxy.js": `import createMiddleware from "next-intl/middleware";\nimport { routing } from "./routing";\nexport default createMiddleware(routing);\nexport const config = { matcher: "/((?!api|_next|.*\\\\..*).*)" };\n`,
      "app/[locale]/page.js": `import { NextIntlClientProvider } from "next-intl";\nimport { Title } from "./title";\nexport default function Page() {\n  return <NextIntlClientProvider><Title /></NextIntlClientProvider>;\n}\n`,
      "app/[locale]/title.js": `"use client";\nimport { useTranslations } from "next-intl";\nexport function Title() {\n  return <h1>{useTranslations("Home")("title")}</h1>;\n}\n`,
      "app/api/intl/route.js": route(`import { getTranslations } from "next-intl/server";`, `const t = await getTranslations("Home");\n  return Response.json({ title: t("title") });`),
    },
    requests: ["/api/intl", "/", { path: "/", headers: { "accept-language": "de" } }, { path: "/en", mask: words }, { path: "/de", mask: words }],
    onlyWithoutCacheComponents: true,
  },
  {
    name: "better-sse",
    packages: ["better-sse"],
    isQuick: true,
    files: {
      "app/api/sse/route.js": route(
        `import { createResponse } from "better-sse";`,
        `return createResponse(request, async (session) => {
          for (let i = 0; i < 3; i += 1) session.push(i, "count", String(i));
          setTimeout(() => session.push("last", "last", "4"), 50);
        });`,
      ),
    },
    requests: [{ path: "/api/sse", until: /last"\n\n/ }],
  },
  {
    name: "payload",
    packages: ["payload@3", "@payloadcms/next@3", "@payloadcms/db-sqlite@3", "graphql@16"],
    config: `import { withPayload } from "@payloadcms/next/withPayload";\nexport default withPayload({ devIndicators: false });\n`,
    files: {
      "payload.config.js": `
import { sqliteAdapter } from "@payloadcms/db-sqlite";
import { buildConfig } from "payload";
export default buildConfig({
  secret: "a-secret-of-a-test-only",
  collections: [{ slug: "notes", access: { read: () => true, create: () => true }, fields: [{ name: "title", type: "text" }] }],
  db: sqliteAdapter({ client: { url: "file:./payload.db" } }),
  typescript: { autoGenerate: false },
  telemetry: false,
});
`,
      "app/api/payload/route.js": route(
        `import { getPayload } from "payload";\nimport config from "../../../payload.config";`,
        `const payload = await getPayload({ config });
        const { title } = await payload.create({ collection: "notes", data: { title: "Good day" } });
        return Response.json({ title, isThere: (await payload.find({ collection: "notes" })).totalDocs > 0 });`,
      ),
      "app/api/[...slug]/route.js": `import { REST_GET } from "@payloadcms/next/routes";\nimport config from "../../../payload.config";\nexport const GET = (request, context) => REST_GET(config)(request, context);\n`,
    },
    requests: ["/api/payload", "/api/payload", { path: "/api/notes?limit=1", mask: (text) => text.replace(/"(id|totalDocs|totalPages)":\d+|"(updatedAt|createdAt)":"[^"]*"/g, "…") }],
    onlyWithoutCacheComponents: true,
  },
];
