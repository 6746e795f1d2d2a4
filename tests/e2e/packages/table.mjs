// Real packages in apps of their own, and what is asked of them. A row: `packages` (npm), `files` of the app, `requests` (a path, or {path, method, body,
// headers, mask}), and where it matters `service` (servers.mjs; its port is PORT_OF_SERVICE in .env), `config` (of Next), `told` (what vercel-sim has to say of a
// route: background work and its place), `isQuick` (CI runs it: small to install), `unlike` (why an answer may differ from plain `next dev`).
// Not here, since they need what a test cannot have: @prisma/client (its generator downloads engines), mongodb and mysql2 (no such server in Debian).

// A route handler that runs for each request, with Cache Components and without.
const route = (imports, body) => `
import { connection } from "next/server";
${imports}
export async function GET(request) {
  await connection();
  ${body}
}
`;

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
        `import Redis from "ioredis";\nconst redis = (globalThis.redis ??= new Redis(Number(process.env.PORT_OF_REALREDIS), "127.0.0.1"));`,
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
];
