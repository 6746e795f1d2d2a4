// Real packages in apps of their own, and what is asked of them. A row: `packages` (npm), `files` of the app, `requests` (a path, or {path, method, body,
// headers, mask, until, told}: `mask` rewrites an answer before it is compared, `until` ends the reading of a stream, `told` is what vercel-sim has to say of
// what the route left behind), and where it matters `service` (servers.mjs; its port is PORT_OF_SERVICE in .env), `env` (lines of it), `prepare` (programs to
// run after the install, as lists of arguments for npx), `config` (of Next), `prints` (what the run has to print), `onlyWithoutCacheComponents`, `isQuick`
// (CI runs it: small to install), `sockets` (table_sockets.mjs: what serves WebSockets differs from plain `next dev` by the platform's rules),
// `mayTell` (a warning, no violation, that the run may show or not).

import { route } from "./route.mjs";
import { kAppRows } from "./table_apps.mjs";
import { kSocketRows } from "./table_sockets.mjs";

const kTracing = `
export async function register() {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { registerOTel } = await import("@vercel/otel");
  const exported = [];
  globalThis.exportedSpans = exported;
  const traceExporter = {
    export(spans, done) {
      exported.push(...spans.map((span) => span.name));
      console.log("exported " + spans.map((span) => span.name).join(", "));
      done({ code: 0 });
    },
    shutdown: async () => {},
    forceFlush: async () => {},
  };
  registerOTel({ serviceName: "packages", traceExporter });
}
`;

const kOtel = ["api", "api-logs", "instrumentation", "resources", "sdk-logs", "sdk-metrics", "sdk-trace-base"].map((name) => `@opentelemetry/${name}`);

export const kRows = [
  {
    name: "@vercel/otel",
    packages: ["@vercel/otel@2.1.3", ...kOtel],
    isQuick: true,
    files: {
      "instrumentation.js": kTracing,
      "app/api/traced/route.js": route(
        `import { trace } from "@opentelemetry/api";`,
        `return trace.getTracer("packages").startActiveSpan("work", async (span) => {
          await new Promise((done) => setTimeout(done, 80));
          span.end();
          return Response.json({ isTraced: span.isRecording() === false });
        });`,
      ),
    },
    requests: ["/api/traced", "/api/traced"],
    prints: /exported .*work/,
  },
  {
    name: "@vercel/functions",
    packages: ["@vercel/functions@3.9.9"],
    isQuick: true,
    files: {
      "app/api/functions/route.js": route(
        `import { waitUntil, getCache, addCacheTag, invalidateByTag, dangerouslyDeleteByTag, getEnv, ipAddress, geolocation } from "@vercel/functions";`,
        `const told = {};
        waitUntil(new Promise((done) => setTimeout(done, 50)));
        for (const wrong of [42, undefined, null, "text", () => Promise.resolve()]) {
          try { waitUntil(wrong); told[String(wrong)] = "taken"; } catch (error) { told[String(wrong)] = error.message; }
        }
        const cache = getCache({ namespace: "packages" });
        for (const value of [null, 0, "", { a: [1] }, undefined]) await cache.set("key", value);
        told.last = await cache.get("key");
        await cache.set("kept", { a: [1] }, { ttl: 60, tags: ["t"], name: "a name" });
        told.kept = await cache.get("kept");
        await cache.expireTag(["t"]);
        told.expired = await cache.get("kept");
        await cache.set("gone", 1, null);
        await cache.delete("gone");
        told.gone = await cache.get("gone");
        told.nothing = [await addCacheTag("x"), await addCacheTag(["x", "y"]), await invalidateByTag("x"), await dangerouslyDeleteByTag("x", { revalidationDeadlineSeconds: 3 })];
        told.types = [typeof getEnv().VERCEL_ENV, typeof ipAddress(request), typeof geolocation(request)].slice(2);
        return Response.json(told);`,
      ),
    },
    requests: ["/api/functions"],
  },
  {
    name: "pg",
    packages: ["pg@8"],
    isQuick: true,
    service: "tinyPostgres",
    files: {
      "lib/pool.js": `
import pg from "pg";
export const pool = (globalThis.pool ??= new pg.Pool({ host: "127.0.0.1", port: Number(process.env.PORT_OF_TINYPOSTGRES), user: "app", database: "shop", max: 5, idleTimeoutMillis: 30_000 }));
`,
      "app/api/pg/route.js": route(`import { pool } from "../../../lib/pool";`, `const { rowCount } = await pool.query("select users");\n  return Response.json({ rowCount });`),
      "app/api/pg-values/route.js": route(`import { pool } from "../../../lib/pool";`, `const { rowCount } = await pool.query("select users where id = $1", [7]);\n  return Response.json({ rowCount });`),
      "app/api/pg-floating/route.js": route(`import { pool } from "../../../lib/pool";`, `pool.query("insert never").catch(() => {});\n  return Response.json({ isLogged: true });`),
    },
    requests: ["/api/pg", "/api/pg-values", "/api/pg", { path: "/api/pg-floating", told: /left Postgres query( at app\/api\/pg-floating\/route\.js:6:)?/ }],
  },
  {
    name: "ioredis",
    packages: ["ioredis@5"],
    isQuick: true,
    service: "tinyRedis",
    files: {
      "lib/redis.js": `import Redis from "ioredis";\nexport const redis = (globalThis.redis ??= new Redis(Number(process.env.PORT_OF_TINYREDIS), "127.0.0.1"));\n`,
      "app/api/redis/route.js": route(`import { redis } from "../../../lib/redis";`, `return Response.json({ value: await redis.get("a") });`),
      "app/api/redis-idle/route.js": route(`import { redis } from "../../../lib/redis";`, `return Response.json({ name: typeof redis.get });`),
      "app/api/redis-floating/route.js": route(`import { redis } from "../../../lib/redis";`, `redis.get("never").catch(() => {});\n  return Response.json({ isAsked: true });`),
    },
    requests: ["/api/redis", "/api/redis-idle", "/api/redis", { path: "/api/redis-floating", told: /left Redis command/ }],
  },
  {
    name: "postgres",
    packages: ["postgres@3"],
    service: "realPostgres",
    files: {
      "lib/sql.js": `import postgres from "postgres";\nexport const sql = (globalThis.sql ??= postgres({ host: "127.0.0.1", port: Number(process.env.PORT_OF_REALPOSTGRES), user: "app", database: "postgres" }));\n`,
      "app/api/sql/route.js": route(`import { sql } from "../../../lib/sql";`, `return Response.json(await sql\`select \${"x"}::text as a, generate_series(1, 3) as b\`);`),
      "app/api/sql-floating/route.js": route(`import { sql } from "../../../lib/sql";`, `sql\`select pg_sleep(30)\`.catch(() => {});\n  return Response.json({ isAsked: true });`),
    },
    requests: ["/api/sql", "/api/sql", { path: "/api/sql-floating", told: /left Postgres query/ }],
  },
  {
    name: "drizzle-orm over pg",
    packages: ["drizzle-orm", "pg@8"],
    service: "realPostgres",
    files: {
      "app/api/drizzle/route.js": route(
        `import { sql } from "drizzle-orm";\nimport { drizzle } from "drizzle-orm/node-postgres";\nimport pg from "pg";
const db = (globalThis.db ??= drizzle(new pg.Pool({ host: "127.0.0.1", port: Number(process.env.PORT_OF_REALPOSTGRES), user: "app", database: "postgres" })));`,
        `const { rows } = await db.transaction((tx) => tx.execute(sql\`select \${7}::int as a\`));\n  return Response.json(rows);`,
      ),
    },
    requests: ["/api/drizzle", "/api/drizzle"],
  },
  {
    name: "ioredis, a real server",
    packages: ["ioredis@5"],
    service: "realRedis",
    files: {
      "app/api/real/route.js": route(
        `import Redis from "ioredis";\nconst redis = (globalThis.realRedis ??= new Redis(Number(process.env.PORT_OF_REALREDIS), "127.0.0.1"));`,
        `await redis.set("a", "one");\n  return Response.json(await redis.pipeline().get("a").ttl("a").exec());`,
      ),
      "app/api/subscribed/route.js": route(
        `import Redis from "ioredis";`,
        `const redis = new Redis(Number(process.env.PORT_OF_REALREDIS), "127.0.0.1");\n  await redis.subscribe("news");\n  return Response.json({ isSubscribed: true });`,
      ),
    },
    requests: ["/api/real", "/api/real", "/api/subscribed"],
  },
  {
    name: "@vercel/analytics",
    packages: ["@vercel/analytics"],
    files: { "app/api/track/route.js": route(`import { track } from "@vercel/analytics/server";`, `await track("bought", { price: 3 });\n  return Response.json({ isTracked: true });`) },
    requests: ["/api/track"],
  },
  {
    name: "@vercel/blob",
    packages: ["@vercel/blob"],
    files: {
      "app/api/blob/route.js": route(`import { put } from "@vercel/blob";`, `const error = await put("a.txt", "text", { access: "public", token: "" }).catch((thrown) => thrown);\n  return Response.json({ says: error.message });`),
    },
    requests: ["/api/blob"],
  },
  {
    name: "flags",
    packages: ["flags"],
    files: { "app/api/flag/route.js": route(`import { flag } from "flags/next";\nconst isNew = flag({ key: "is-new", decide: () => true });`, `return Response.json({ isNew: await isNew() });`) },
    requests: ["/api/flag"],
  },
  {
    name: "next-auth",
    packages: ["next-auth@5.0.0-beta.31"],
    env: "AUTH_SECRET=a-secret-of-a-test-only\n",
    files: {
      "auth.js": `
import NextAuth from "next-auth";
import Credentials from "next-auth/providers/credentials";
export const { handlers, auth } = NextAuth({ trustHost: true, providers: [Credentials({ credentials: { name: {} }, authorize: ({ name }) => ({ id: "1", name }) })] });
`,
      "app/api/auth/[...nextauth]/route.js": `import { handlers } from "../../../../auth";\nexport const { GET, POST } = handlers;\n`,
      "app/api/me/route.js": route(`import { auth } from "../../../auth";`, `return Response.json({ session: await auth() });`),
    },
    requests: ["/api/me", "/api/auth/session", { path: "/api/auth/csrf", mask: (text) => text.replace(/[0-9a-f]{64}/, "…") }],
  },
  {
    name: "@trpc/server",
    packages: ["@trpc/server"],
    files: {
      "app/api/trpc/[trpc]/route.js": `
import { initTRPC } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
const t = initTRPC.create();
const router = t.router({ hello: t.procedure.query(() => ({ says: "hello" })) });
const handler = (req) => fetchRequestHandler({ endpoint: "/api/trpc", req, router, createContext: () => ({}) });
export { handler as GET, handler as POST };
`,
    },
    requests: ["/api/trpc/hello", { path: "/api/trpc/none", mask: (text) => text.replace(/"stack":"(?:[^"\\]|\\.)*"/, '"stack":"…"') }],
  },
  {
    name: "graphql-yoga",
    packages: ["graphql-yoga", "graphql"],
    files: {
      "app/api/graphql/route.js": `
import { createSchema, createYoga } from "graphql-yoga";
const schema = createSchema({ typeDefs: "type Query { hello: String }", resolvers: { Query: { hello: () => "world" } } });
const { handleRequest } = createYoga({ schema, graphqlEndpoint: "/api/graphql", fetchAPI: { Response } });
export const GET = (request) => handleRequest(request, {});
export const POST = (request) => handleRequest(request, {});
`,
    },
    requests: ["/api/graphql?query=%7Bhello%7D", { path: "/api/graphql", method: "POST", body: '{"query":"{hello}"}', headers: { "content-type": "application/json" } }],
  },
  {
    name: "sharp",
    packages: ["sharp"],
    files: {
      "app/api/sharp/route.js": route(`import sharp from "sharp";`, `const made = await sharp({ create: { width: 8, height: 4, channels: 3, background: "red" } }).resize(4).png().toBuffer({ resolveWithObject: true });\n  return Response.json(made.info);`),
    },
    requests: ["/api/sharp"],
  },
  {
    name: "ImageResponse and satori",
    packages: ["satori"],
    files: {
      "app/api/image/route.js": route(`import { ImageResponse } from "next/og";`, `return new ImageResponse(<div style={{ display: "flex" }}>Good day</div>, { width: 60, height: 30 });`),
      "app/api/satori/route.js": route(
        `import { readFile } from "node:fs/promises";\nimport satori from "satori";`,
        `const data = await readFile("node_modules/next/dist/compiled/@vercel/og/Geist-Regular.ttf");
        const svg = await satori(<div style={{ display: "flex" }}>Good day</div>, { width: 60, height: 30, fonts: [{ name: "Geist", data, weight: 400, style: "normal" }] });
        return new Response(svg, { headers: { "content-type": "image/svg+xml" } });`,
      ),
    },
    requests: ["/api/image", "/api/satori"],
  },
  {
    name: "lru-cache",
    packages: ["lru-cache"],
    files: { "app/api/lru/route.js": route(`import { LRUCache } from "lru-cache";\nconst cache = new LRUCache({ max: 10, ttl: 60_000, ttlAutopurge: true });`, `cache.set("a", 1);\n  return Response.json({ a: cache.get("a") });`) },
    requests: ["/api/lru"],
  },
  {
    name: "ws as a client",
    packages: ["ws"],
    files: { "app/api/ws/route.js": route(`import { WebSocket } from "ws";`, `const error = await new Promise((done) => new WebSocket("ws://127.0.0.1:9").on("error", done));\n  return Response.json({ code: error.code });`) },
    requests: ["/api/ws"],
  },
  {
    name: "fumadocs",
    packages: ["fumadocs-core"],
    files: {
      "app/api/search/route.js": route(
        `import { createSearchAPI } from "fumadocs-core/search/server";\nconst api = createSearchAPI("simple", { indexes: [{ title: "Good day", content: "words of a page", url: "/a" }] });`,
        `const answer = await api.GET(request);\n  return Response.json((await answer.json()).map(({ url }) => url));`,
      ),
    },
    requests: ["/api/search?query=words"],
  },
  {
    name: "mongodb",
    packages: ["mongodb"],
    service: "tinyMongo",
    files: {
      "lib/mongo.js": `import { MongoClient } from "mongodb";\nexport const mongo = (globalThis.mongo ??= new MongoClient("mongodb://127.0.0.1:" + process.env.PORT_OF_TINYMONGO + "/?directConnection=true"));\n`,
      "app/api/mongo/route.js": route(
        `import { mongo } from "../../../lib/mongo";`,
        `const found = await mongo.db("shop").collection("users").find({ name: "a" }).toArray();\n  return Response.json(found.map(({ name }) => name));`,
      ),
      "app/api/mongo-floating/route.js": route(
        `import { mongo } from "../../../lib/mongo";`,
        `mongo.db("shop").collection("never").insertOne({ a: 1 }).catch(() => {});\n  await mongo.db("shop").collection("users").findOne({});\n  return Response.json({ isAsked: true });`,
      ),
    },
    requests: ["/api/mongo", "/api/mongo", { path: "/api/mongo-floating", told: /left MongoDB command/ }],
  },
  {
    name: "@prisma/client",
    packages: ["prisma@7", "@prisma/client@7", "@prisma/adapter-libsql@7"],
    // It makes the client without that engine, which would be downloaded.
    env: "PRISMA_SCHEMA_ENGINE_BINARY=/bin/true\n",
    prepare: [["prisma", "generate"]],
    files: {
      "prisma.config.mjs": `process.env.PRISMA_SCHEMA_ENGINE_BINARY = "/bin/true";\nexport default { schema: "prisma/schema.prisma", datasource: { url: "file:./dev.db" } };\n`,
      "prisma/schema.prisma": `generator client {\n  provider = "prisma-client"\n  output = "../lib/made"\n}\ndatasource db {\n  provider = "sqlite"\n}\nmodel Visit {\n  id Int @id @default(autoincrement())\n  path String\n}\n`,
      "lib/prisma.js": `
import { PrismaLibSql } from "@prisma/adapter-libsql";
import { PrismaClient } from "./made/client";
export const prisma = (globalThis.prisma ??= new PrismaClient({ adapter: new PrismaLibSql({ url: "file:./dev.db" }) }));
`,
      "app/api/prisma/route.js": route(
        `import { prisma } from "../../../lib/prisma";`,
        `await prisma.$executeRawUnsafe("create table if not exists Visit (id integer primary key autoincrement, path text not null)");
        const [{ path }] = await prisma.$transaction([prisma.visit.create({ data: { path: "/a" } })]);
        return Response.json({ path, isThere: (await prisma.visit.count()) > 0 });`,
      ),
    },
    requests: ["/api/prisma", "/api/prisma"],
  },
  {
    name: "@vercel/flags",
    packages: ["@vercel/flags@3"],
    files: {
      "app/api/vercel-flag/route.js": route(
        `import { flag } from "@vercel/flags/next";\nconst isNew = flag({ key: "is-new", decide: () => true });`,
        `return Response.json({ isNew: await isNew() });`,
      ),
    },
    requests: ["/api/vercel-flag"],
  },
  ...kAppRows,
  ...kSocketRows,
];
