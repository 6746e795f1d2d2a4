// What middleware keeps in the memory of its modules is told as for a function: what it puts there for a function and what a function puts there for it
// is never found. In `next dev` what it finds again from an earlier request is there because one process runs all of it; in instances it is lost. Innocent look-alikes stay silent.
// VSIM_FULL=1 runs it on every major of Next with each bundler; up to 15 middleware is of the edge runtime.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { cleanUp, kFull, startSim } from "./harness.mjs";
import { appOf, ask, toldBy } from "./state_run.mjs";
import { kNewestOfMajor, partsOf } from "../next_versions.mjs";

const chosen = process.env.VSIM_MATRIX?.split(",") ?? (kFull ? kNewestOfMajor : ["16-turbopack"]);
const profiles = process.env.VSIM_PROFILES?.split(",") ?? (kFull ? ["hobby", "hobby-fluid"] : ["hobby"]);

const middleware = (name) => `import { NextResponse, type NextRequest } from "next/server";
import { current, presence } from "./lib/m/current";
import { sessions } from "./lib/m/sessions";
import { flags, verified } from "./lib/m/innocent";

let hits = 0;
const visitors = new Map<string, number>();
const started = Date.now();
const paths = ["/m/", "/n/"];
const log: string[] = [];

export function ${name}(request: NextRequest) {
  const { pathname } = request.nextUrl;
  const headers = new Headers(request.headers);
  log.push(pathname);
  if (pathname === "/m/counted") headers.set("x-hits", String(++hits));
  if (pathname === "/m/limited") {
    const ip = request.headers.get("x-forwarded-for") ?? "none";
    visitors.set(ip, (visitors.get(ip) ?? 0) + 1);
    if (visitors.get(ip)! > 5) return new NextResponse("slow down", { status: 429 });
  }
  if (pathname === "/m/user") current.user = request.cookies.get("user")?.value ?? "nobody";
  if (pathname === "/m/online") presence.set(request.headers.get("x-user") ?? "nobody", "online");
  if (pathname === "/m/secret") headers.set("x-session", sessions.get(request.cookies.get("sid")?.value ?? "")?.user ?? "none");
  if (pathname === "/n/token") headers.set("x-who", verified(request.cookies.get("token")?.value ?? ""));
  if (pathname === "/n/flag") headers.set("x-flag", String(flags().beta));
  headers.set("x-up", String(Date.now() - started));
  return paths.some((path) => pathname.startsWith(path)) ? NextResponse.next({ request: { headers } }) : NextResponse.next();
}

export const config = { matcher: ["/m/:path*", "/n/:path*"] };
`;

const route = (text) => `export const dynamic = "force-dynamic";\n${text}`;
const echo = (name) => route(`export async function GET(r: Request) { return Response.json({ value: r.headers.get("${name}") }); }\n`);

const kFiles = {
  "lib/m/current.ts": `export const current: { user?: string } = (globalThis as any).current ??= {};\nexport const presence = new Map<string, string>();\n`,
  "lib/m/sessions.ts": `export const sessions = new Map<string, { user: string }>();\n`,
  "lib/m/innocent.ts": `const known = new Map<string, string>();
export function verified(token: string) {
  const one = known.get(token) ?? "user of " + token;
  known.set(token, one);
  return one;
}
let loaded: { beta: boolean } | undefined;
export function flags() {
  return (loaded ??= { beta: true });
}
`,
  "app/m/counted/route.ts": echo("x-hits"),
  "app/m/limited/route.ts": echo("x-up"),
  "app/m/secret/route.ts": echo("x-session"),
  "app/m/user/route.ts": route(`import { current } from "@/lib/m/current";\nexport async function GET() { return Response.json({ user: current.user ?? null }); }\n`),
  "app/m/online/route.ts": route(`import { presence } from "@/lib/m/current";\nexport async function GET(r: Request) { return Response.json(presence.get(r.headers.get("x-user")!) ?? null); }\n`),
  "app/login/route.ts": route(
    `import { sessions } from "@/lib/m/sessions";\nexport async function POST(r: Request) { const { user } = await r.json(); const id = crypto.randomUUID(); sessions.set(id, { user }); return new Response("in", { headers: { "set-cookie": "sid=" + id } }); }\n`,
  ),
  "app/n/token/route.ts": route(`import { verified } from "@/lib/m/innocent";\nexport async function GET(r: Request) { return Response.json({ who: r.headers.get("x-who"), ours: verified("of this one") }); }\n`),
  "app/n/flag/route.ts": route(`import { flags } from "@/lib/m/innocent";\nexport async function GET() { return Response.json(flags()); }\n`),
};

const get = (path, headers = {}) => ({ path, headers });
const kCases = (file, line, isApart) => [
  ["a counter", [get("/m/counted"), get("/m/counted")], [`hits in ${file}:${line("hits")} → middleware${isApart ? "" : " (suspected)"}`]],
  ["a limiter", [get("/m/limited"), get("/m/limited")], [`visitors in ${file}:${line("visitors")} → middleware (suspected)`]],
  ["what it puts into an object for the function", [get("/m/user", { cookie: "user=ada" })], ["current in lib/m/current.ts:1 → /m/user (suspected)"]],
  ["what it puts into a Map for the function", [get("/m/online", { "x-user": "grace" })], ["presence in lib/m/current.ts:2 → /m/online (suspected)"]],
  [
    "a session that a function has made",
    [{ path: "/login", method: "POST", headers: { "content-type": "application/json" }, body: '{"user":"linus"}' }, { path: "/m/secret", withCookie: true }],
    ["sessions in lib/m/sessions.ts:1 → middleware"],
  ],
  ["a memo of tokens, in both", [get("/n/token", { cookie: "token=t-1" }), get("/n/token", { cookie: "token=t-1" }), get("/n/token", { cookie: "token=t-2" })], []],
  ["flags, loaded once by each", [get("/n/flag"), get("/n/flag")], []],
];

function suite(combo, profile, where) {
  describe(`State in middleware, ${combo} ${profile}, in ${where}`, { timeout: 600_000 }, () => {
    after(cleanUp);
    test(`State in middleware, ${combo} ${profile}, in ${where}`, async () => {
      const name = partsOf(combo).major >= 16 ? "proxy" : "middleware";
      const text = middleware(name);
      const line = (variable) => text.split("\n").findIndex((one) => new RegExp(`^(let|const) ${variable}\\b`).test(one)) + 1;
      const sim = await startSim(["--profile", profile, "--set", `middleware.instances=${where === "instances" ? "on" : "off"}`], { cwd: await appOf(combo, kFiles, { [`${name}.ts`]: text }) });
      const results = {};
      const wanted = {};
      for (const [what, asks, told] of kCases(`${name}.ts`, line, profile === "hobby" || where === "instances")) {
        const from = sim.events().length;
        const cookies = [];
        for (const asked of asks) await ask(sim, asked, cookies);
        results[what] = toldBy(sim, from);
        wanted[what] = told;
      }
      assert.deepEqual(results, wanted);
      await sim.stop();
    });
  });
}

for (const combo of chosen) for (const profile of profiles) for (const where of ["instances", "next dev"]) suite(combo, profile, where);
