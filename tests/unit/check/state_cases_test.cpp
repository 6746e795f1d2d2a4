// Small projects after what public apps keep in their modules: what is state between requests, and what only
// looks like it.
#include <catch2/catch.hpp>

#include <string>

#include "unit/check/projects.hpp"

using vsim::check::test::expect;

namespace {

const std::string kState = "module-level-mutable-state ";

}  // namespace

TEST_CASE("state: what only runs while modules load is no request's change") {
  expect({
      {"a registry that modules fill when they load",
       R"(// file: lib/tools.ts
const tools = new Map();
export function registerTool(name, run) { tools.set(name, run); }
export function tool(name) { return tools.get(name); }
// file: lib/all.ts
import { registerTool } from "./tools";
registerTool("now", () => Date.now());
function group(prefix) { registerTool(prefix + "x", () => 1); }
group("math.");
// file: app/api/tool/route.ts
import "@/lib/all";
import { tool } from "@/lib/tools";
export async function POST(request) { return Response.json(tool((await request.json()).name)()); }
)",
       {}},
      {"the same when a request fills it",
       R"(// file: lib/tools.ts
const tools = new Map();
export function registerTool(name, run) { tools.set(name, run); }
export function tool(name) { return tools.get(name); }
// file: app/api/tool/route.ts
import { registerTool, tool } from "@/lib/tools";
registerTool("now", () => Date.now());
export async function POST(request) { return Response.json(tool((await request.json()).name)()); }
export async function PUT(request) { registerTool((await request.json()).name, () => 1); return new Response(); }
)",
       {kState + "lib/tools.ts:1"}},
      {"a callback that a module hands over when it loads, and a reset only tests would call",
       R"(// file: lib/hub.ts
let send = null;
let swept = 0;
export function setSend(f) { send = f; }
export function _reset() { swept = 0; }
export function publish(x) { if (send) send(x); if (Date.now() - swept > 9) { swept = Date.now(); } }
// file: app/api/a/route.ts
import { publish, setSend } from "@/lib/hub";
setSend((x) => console.log(x));
export function POST() { publish(1); return new Response(); }
)",
       {}},
      {"a function seen through a namespace may be called by anybody",
       R"(// file: lib/hub.ts
let send = null;
export function setSend(f) { send = f; }
export function publish(x) { if (send) send(x); }
// file: app/api/a/route.ts
import * as hub from "@/lib/hub";
export function POST() { hub.setSend((x) => x); hub.publish(1); return new Response(); }
)",
       {kState + "lib/hub.ts:1"}},
      {"a bundle's own module wrappers",
       R"(// file: app/api/a/route.js
let limit;
const init_limit = __esm({
  "src/limit.js"() { limit = 5; },
});
export function GET() { init_limit(); return Response.json(limit); }
)",
       {}},
  });
}

TEST_CASE("state: code that is loaded late and services that are set up are no state") {
  expect({
      {"an optional package",
       R"(// file: app/api/a/route.ts
let limiter = null;
let tried = false;
async function load() {
  if (tried) return;
  tried = true;
  const mod = await import("some-limiter");
  limiter = mod.limiter;
}
export async function POST() { await load(); return Response.json(limiter ? await limiter() : 0); }
)",
       {}},
      {"a service with an init function",
       R"(// file: lib/mailer.ts
import { Mailer } from "mails";
let mailer = null;
export function initMailer(options) { mailer = new Mailer(options); }
export function getMailer() { return mailer; }
// file: app/api/a/route.ts
import { getMailer, initMailer } from "@/lib/mailer";
export async function POST() { initMailer({}); await getMailer().send(); return new Response(); }
)",
       {}},
      {"what the function makes is a list: that is state",
       R"(// file: app/api/a/route.ts
let seen = [];
export function DELETE() { seen = new Array(9); return new Response(); }
export function GET() { return Response.json(seen); }
)",
       {kState + "app/api/a/route.ts:1"}},
  });
}

TEST_CASE("state: on globalThis, whatever it is called there") {
  expect({
      {"listeners put there by an if",
       R"(// file: lib/events.ts
const g = globalThis as unknown as { listeners?: Set<(x: unknown) => void> };
if (!g.listeners) g.listeners = new Set();
const listeners = g.listeners;
export function emit(x) { for (const f of listeners) f(x); }
export function onEvent(f) { listeners.add(f); return () => listeners.delete(f); }
// file: app/api/a/route.ts
import { emit } from "@/lib/events";
export function POST() { emit(1); return new Response(); }
// file: app/api/b/route.ts
import { onEvent } from "@/lib/events";
export function GET() { onEvent(() => 1); return new Response(); }
)",
       {kState + "lib/events.ts:3"}},
      {"one file writes, another reads; the reader has no finding of its own",
       R"(// file: pages/api/rooms/index.js
const ROOMS = global.ROOMS || {};
global.ROOMS = ROOMS;
export default function handler(req, res) { ROOMS[req.body.code] = { players: [] }; res.json({}); }
// file: pages/api/rooms/[code].js
const ROOMS = global.ROOMS || {};
global.ROOMS = ROOMS;
export default function handler(req, res) { res.json(ROOMS[req.query.code] ?? null); }
)",
       {kState + "pages/api/rooms/index.js:1"}},
      {"a database client kept there",
       R"(// file: lib/db.ts
import { PrismaClient } from "@prisma/client";
const g = globalThis as unknown as { prisma?: PrismaClient };
if (!g.prisma) g.prisma = new PrismaClient();
export const prisma = g.prisma;
// file: app/api/a/route.ts
import { prisma } from "@/lib/db";
export async function GET() { return Response.json(await prisma.user.findMany()); }
)",
       {}},
  });
}

TEST_CASE("state: a connection that is made once and kept in a property") {
  expect({
      {"asked for first",
       R"(// file: lib/db.ts
import mongoose from "mongoose";
const connection: { open?: number } = {};
export default async function connect() {
  if (connection.open) { console.log("open"); return; }
  const db = await mongoose.connect("mongodb://example.com");
  connection.open = db.connections[0].readyState;
}
// file: app/api/a/route.ts
import connect from "@/lib/db";
export async function GET() { await connect(); return new Response(); }
)",
       {}},
      {"counted",
       R"(// file: app/api/a/route.ts
const stats = { hits: 0 };
export async function GET() { if (stats.hits > 9) return new Response(); stats.hits++; return Response.json(stats); }
)",
       {kState + "app/api/a/route.ts:1"}},
      {"written and read by others",
       R"(// file: app/api/a/route.ts
const settings = { theme: "dark" };
export async function POST(request) { settings.theme = await request.text(); return new Response(); }
export async function GET() { return Response.json(settings); }
)",
       {kState + "app/api/a/route.ts:1"}},
  });
}

TEST_CASE("state: in the fields of an object that a module makes once") {
  const std::string store = R"(// file: lib/jobs.ts
class JobStore {
  private jobs: Map<string, object>;
  private static instance: JobStore;
  constructor() { this.jobs = new Map(); }
  static getInstance() { return (JobStore.instance ??= new JobStore()); }
  add(id: string, job: object) { this.jobs.set(id, job); }
  get(id: string) { return this.jobs.get(id); }
}
)";
  const std::string routes = R"(// file: app/api/jobs/route.ts
import { store } from "@/lib/jobs";
export async function POST() { store.add("a", {}); return new Response(); }
// file: app/api/jobs/[id]/route.ts
import { store } from "@/lib/jobs";
export async function GET() { return Response.json(store.get("a") ?? null); }
)";
  const std::string made = store + "export const store = new JobStore();\n" + routes;
  const std::string given = store + "export const store = JobStore.getInstance();\n" + routes;
  const std::string kept =
      store + "const g = globalThis as any;\nexport const store = g.store ?? new JobStore();\n" + routes;
  const std::string unread = store + "export const store = new JobStore();\n" +
                             routes.substr(0, routes.find("// file: app/api/jobs/["));
  expect({
      {"made", made.c_str(), {kState + "lib/jobs.ts:9"}},
      {"given by the class", given.c_str(), {kState + "lib/jobs.ts:9"}},
      {"kept on globalThis", kept.c_str(), {kState + "lib/jobs.ts:10"}},
      {"never read", unread.c_str(), {}},
      {"a cache: asks first, returns what it finds",
       R"(// file: lib/prices.ts
class Prices {
  known = new Map();
  async get(id) {
    const found = this.known.get(id);
    if (found) return found;
    const fresh = await fetch("https://example.com/" + id).then((r) => r.json());
    this.known.set(id, fresh);
    return fresh;
  }
}
export const prices = new Prices();
// file: app/api/a/route.ts
import { prices } from "@/lib/prices";
export async function GET() { return Response.json(await prices.get("a")); }
)",
       {}},
      {"filled only while modules load",
       R"(// file: lib/plugins.ts
class Plugins {
  list = [];
  add(p) { this.list.push(p); }
  all() { return this.list; }
}
export const plugins = new Plugins();
plugins.add("a");
// file: app/api/a/route.ts
import { plugins } from "@/lib/plugins";
export function GET() { return Response.json(plugins.all()); }
)",
       {}},
      {"an object of one request",
       R"(// file: app/api/a/route.ts
class List {
  items = [];
  add(x) { this.items.push(x); }
  all() { return this.items; }
}
export function GET() { const list = new List(); list.add(1); return Response.json(list.all()); }
)",
       {}},
  });
}
