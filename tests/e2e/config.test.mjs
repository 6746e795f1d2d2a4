// Where a limit comes from: segment exports, pages/api config, vercel.json, and a change of one of them while the program runs. And what a
// project brings along: middleware, rewrites, a base path, NODE_OPTIONS, .env files.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, curl, editFile, eventually, isEnd, kFull, request, startBrowser, startSim } from "./harness.mjs";

const sleepThen = (ms, answer) => `await new Promise((done) => setTimeout(done, ${ms}));\n  ${answer}`;

const files = {
  "pages/api/brief.ts": `import type { NextApiRequest, NextApiResponse } from "next";
export const config = { maxDuration: 2 };
export default async function handler(_req: NextApiRequest, res: NextApiResponse) {
  ${sleepThen(5_000, "res.json({ brief: true });")}
}
`,
  "app/deep/layout.tsx": `import type { ReactNode } from "react";
export const maxDuration = 2;
export default function Layout({ children }: { children: ReactNode }) {
  return <section>{children}</section>;
}
`,
  "app/deep/page.tsx": `import { connection } from "next/server";
export default async function Deep() {
  await connection();
  ${sleepThen(5_000, "return <p>deep</p>;")}
}
`,
  "app/api/greedy/route.ts": `export const maxDuration = 400;
export function GET() {
  return Response.json({ node: process.env.FROM_DOTENV ?? null, preloaded: (globalThis as { preloaded?: boolean }).preloaded ?? false });
}
`,
  "app/api/changing/route.ts": `export const maxDuration = 2;
export async function GET() {
  ${sleepThen(3_000, "return Response.json({ done: true });")}
}
`,
  "proxy.ts": `import { NextResponse, type NextRequest } from "next/server";
export const config = { matcher: ["/from-proxy", "/renamed"] };
export function proxy(request: NextRequest) {
  if (request.nextUrl.pathname === "/from-proxy") return Response.json({ answered: "by the proxy" });
  const target = request.nextUrl.clone();
  target.pathname = "/api/limited";
  return NextResponse.rewrite(target);
}
`,
  ".env.local": "FROM_DOTENV=yes\n",
  "preload.cjs": "globalThis.preloaded = true;\n",
  "vercel.json": JSON.stringify({ functions: { "app/api/sl*/route.ts": { maxDuration: 3 }, "app/api/slow/route.ts": { maxDuration: 60 }, "app/api/limited/route.ts": { maxDuration: 60 } } }),
};

describe("Configuration", { timeout: 300_000 }, () => {
  let app;
  let sim;

  before(async () => {
    app = await copyApp(files);
    sim = await startSim(["--profile", "hobby"], { cwd: app, env: { NODE_OPTIONS: "--require ./preload.cjs" } });
  });

  after(cleanUp);

  const cases = [
    ["config.maxDuration of pages/api", "/api/brief", 2_000, 5_000],
    ["the first matching pattern of vercel.json", "/api/slow?ms=6000", 3_000, 6_000],
    ["a route's own maxDuration before vercel.json", "/api/limited?ms=8000", 5_000, 8_000],
  ];
  for (const [what, target, limit, otherwise] of cases) {
    test(`Configuration: the limit is ${what}`, async () => {
      const response = await request(`${sim.url}${target}`);
      assert.equal(response.status, 504, response.text);
      const end = await sim.waitForEvent(`end of ${target}`, isEnd({ target }));
      assert.ok(end.charged_ms >= limit && end.charged_ms < otherwise, `charged ${end.charged_ms} ms`);
    });
  }

  test("Configuration: a page has the maxDuration of its layout", async () => {
    const response = await request(`${sim.url}/deep`);
    assert.ok(response.status === 504 || response.cut, `status ${response.status}`);
    const end = await sim.waitForEvent("end of /deep", isEnd({ target: "/deep" }));
    assert.equal(end.code, "FUNCTION_INVOCATION_TIMEOUT");
    assert.ok(end.charged_ms >= 2_000 && end.charged_ms < 5_000, `charged ${end.charged_ms} ms`);
  });

  test("Configuration: a value above the plan's maximum is reported in Vercel's own words", async () => {
    await sim.output.waitFor(/Builder returned invalid maxDuration value for Serverless Function "api\/greedy"\. Serverless Functions must have a maxDuration between 1 and 60 for plan hobby\./, 5_000);
    assert.match(sim.output.text, /app\/api\/greedy\/route\.ts/);
  });

  test("Configuration: the project's .env files and NODE_OPTIONS stay in force", async () => {
    assert.equal((await request(`${sim.url}/api/greedy`)).text, '{"node":"yes","preloaded":true}');
  });

  test("Configuration: what the project's proxy answers is no invocation of a function, and what it rewrites has the limit of its target", async () => {
    assert.equal((await request(`${sim.url}/from-proxy`)).text, '{"answered":"by the proxy"}');
    const ends = await eventually("both ends of /from-proxy", 10_000, () => {
      const all = sim.events().filter(isEnd({ target: "/from-proxy" }));
      return all.length === 2 && all;
    });
    assert.deepEqual(ends.map(({ traffic, kind }) => [traffic, kind]), [["invocation", "middleware"], ["direct", undefined]]);
    const response = await request(`${sim.url}/renamed?ms=8000`);
    assert.equal(response.status, 504);
    const end = await sim.waitForEvent("end of /renamed", isEnd({ target: "/renamed?ms=8000", route: "/api/limited" }));
    assert.ok(end.charged_ms >= 5_000 && end.charged_ms < 8_000, `charged ${end.charged_ms} ms`);
  });

  test("Configuration: a limit changed in a source file counts for the next requests", async () => {
    assert.equal((await request(`${sim.url}/api/changing`)).status, 504);
    await editFile(join(app, "app/api/changing/route.ts"), "maxDuration = 2", "maxDuration = 8");
    await eventually("the new limit", 30_000, async () => (await request(`${sim.url}/api/changing`)).status === 200);
  });

  test("Configuration: it stops clean", async () => {
    const { left, files: temp } = await sim.stop();
    assert.deepEqual(left, []);
    assert.deepEqual(temp, []);
  });
});

describe("Projects of another make", { timeout: 300_000 }, () => {
  after(cleanUp);

  const packages = (dev) => JSON.stringify({ name: "chat", private: true, scripts: { dev }, dependencies: { next: "16.4.6" } });

  async function hotReload(sim, app, path) {
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(`${sim.url}${path}`, { timeout: 90_000 });
      await page.locator("#marker").filter({ hasText: "version 1" }).waitFor();
      await editFile(join(app, "app/hot/page.tsx"), "version 1", "version 2");
      await page.locator("#marker").filter({ hasText: "version 2" }).waitFor({ timeout: 30_000 });
    } finally {
      await browser.close();
    }
  }

  test("HTTPS: with --https the page and request.url are https on the public port", async () => {
    const app = await copyApp();
    const sim = await startSim(["--profile", "hobby", "--https"], { cwd: app, scheme: "https" });
    const { code, stdout } = await curl("--insecure", `https://localhost:${sim.port}/api/echo`);
    assert.equal(code, 0);
    const echo = JSON.parse(stdout);
    assert.equal(echo.url, `https://localhost:${sim.port}/api/echo`);
    assert.equal(echo.headers["x-forwarded-proto"], "https");
    assert.deepEqual((await sim.stop()).left, []);
  });

  test("Base path: hot reload passes and functions are limited below it", { skip: !kFull && "VSIM_FULL=1 runs it" }, async () => {
    const app = await copyApp({ "next.config.mjs": 'export default { basePath: "/docs", turbopack: { root: import.meta.dirname } };\n' });
    const sim = await startSim(["--profile", "hobby"], { cwd: app });
    await hotReload(sim, app, "/docs/hot");
    const cut = await request(`${sim.url}/docs/api/limited?ms=8000`);
    assert.equal(cut.status, 504);
    assert.ok(cut.ms >= 5_000);
    assert.deepEqual((await sim.stop()).left, []);
  });

  test("Webpack: `next dev --webpack` of the dev script is kept; hot reload passes and functions are limited", { skip: !kFull && "VSIM_FULL=1 runs it" }, async () => {
    const app = await copyApp({ "package.json": packages("next dev --webpack") });
    const sim = await startSim(["--profile", "hobby"], { cwd: app });
    await sim.output.waitFor(/webpack/i, 5_000);
    await hotReload(sim, app, "/hot");
    const cut = await request(`${sim.url}/api/limited?ms=8000`);
    assert.equal(cut.status, 504);
    const end = await sim.waitForEvent("end of /api/limited", isEnd({ target: "/api/limited?ms=8000" }));
    assert.ok(end.charged_ms >= 5_000 && end.charged_ms < 8_000, `charged ${end.charged_ms} ms`);
    assert.deepEqual((await sim.stop()).left, []);
  });
});
