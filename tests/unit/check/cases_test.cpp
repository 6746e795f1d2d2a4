// Small projects after what public apps do: where a rule must speak, and where it must not.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "check/checker.hpp"
#include "unit/check/projects.hpp"
#include "unit/profile/files.hpp"

using namespace vsim;

namespace {

struct Case {
  const char* what;
  const char* files;
  std::vector<std::string> found;  // "rule file:line"
  const char* profile = "hobby";
};

void expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    INFO(c.what);
    const auto report = check::check(check::test::project(c.files), profile::test::must_load(c.profile));
    std::vector<std::string> found;
    for (const auto& f : report.findings)
      found.push_back(f.rule + " " + f.file + ":" + std::to_string(f.line));
    CHECK(found == c.found);
  }
}

const std::string kState = "module-level-mutable-state ";
const std::string kStream = "sse-without-reconnect ";
const std::string kFloating = "floating-promise-after-response ";
const std::string kTimer = "timer-outlives-response ";

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

TEST_CASE("event streams: with an end of their own there is nothing to say") {
  const auto route = [](const std::string& start, const std::string& before = "") {
    return "// file: app/api/s/route.ts\n" + before +
           "export async function GET(request) {\n"
           "  const stream = new ReadableStream({\n" +
           start +
           "  });\n"
           "  return new Response(stream, { headers: { \"Content-Type\": \"text/event-stream\" } });\n"
           "}\n";
  };
  const std::string heartbeat = route(R"(    async start(controller) {
      const beat = setInterval(() => { try { controller.enqueue(":"); } catch { clearInterval(beat); controller.close(); } }, 15000);
      try {
        if (request.signal.aborted) { controller.close(); return; }
        for await (const part of answer()) controller.enqueue(part);
      } finally {
        clearInterval(beat);
        controller.close();
      }
    },
)");
  const std::string until_done = route(R"(    start(controller) {
      const poll = setInterval(async () => {
        const job = await find();
        controller.enqueue(job.text);
        if (job.done) { clearInterval(poll); controller.close(); }
      }, 500);
      request.signal.addEventListener("abort", () => { clearInterval(poll); controller.close(); });
    },
)");
  const std::string refreshed = route(R"(    start(controller) {
      const beat = setInterval(() => controller.enqueue(":"), 900);
      setTimeout(() => { clearInterval(beat); try { controller.close(); } catch {} }, kRefresh);
    },
)",
                                      "export const maxDuration = 60;\nconst kRefresh = (60 - 15) * 1000;\n");
  const std::string too_late = route(R"(    start(controller) {
      const beat = setInterval(() => controller.enqueue(":"), 900);
      setTimeout(() => { clearInterval(beat); controller.close(); }, kRefresh);
    },
)",
                                     "const kRefresh = 25 * 60 * 1000;\n");
  const std::string resumed = route(R"(    start(controller) {
      setInterval(() => controller.enqueue(":"), 900);
      replay(request.nextUrl.searchParams.get("since"), controller);
    },
)");
  const std::string by_name = route(R"(    start(c) {
      const beat = setInterval(() => c.enqueue(":"), 900);
      const stop = () => { clearInterval(beat); c.close(); };
      request.signal?.addEventListener("abort", stop);
    },
)");
  const std::string subscribed = route(R"(    start(controller) {
      addClient(controller);
      request.signal.addEventListener("abort", () => removeClient(controller));
    },
)",
                                       "import { addClient, removeClient } from \"@/lib/clients\";\n");
  const std::string looped = route(R"(    async start(controller) {
      while (!request.signal.aborted) {
        controller.enqueue(":");
        await new Promise((r) => setTimeout(r, 1000));
      }
      controller.close();
    },
)");
  const std::string loop_with_end = route(R"(    async start(controller) {
      while (true) {
        const job = await find();
        if (job.done) break;
        await new Promise((r) => setTimeout(r, 1000));
      }
      controller.close();
    },
)");
  const std::string child = route(R"(    start(controller) {
      const child = spawn("build");
      child.stdout.on("data", (x) => controller.enqueue(x));
      child.on("close", () => controller.close());
    },
)");
  expect({
      {"a heartbeat beside an answer", heartbeat.c_str(), {}},
      {"until a job is done", until_done.c_str(), {}},
      {"closed in time, by a constant", refreshed.c_str(), {}},
      {"closed too late", too_late.c_str(), {kStream + "app/api/s/route.ts:9"}},
      {"what was missed is sent again", resumed.c_str(), {}},
      {"closed only when the visitor leaves", by_name.c_str(), {kStream + "app/api/s/route.ts:9"}},
      {"fed by other requests", subscribed.c_str(), {kStream + "app/api/s/route.ts:9"}},
      {"a loop until the visitor leaves", looped.c_str(), {kStream + "app/api/s/route.ts:11"}},
      {"a loop with an end", loop_with_end.c_str(), {}},
      {"the output of a process", child.c_str(), {}},
      {"in a helper, with headers that the module keeps",
       R"(// file: lib/sse.ts
const kHeaders = { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" };
export function ticks() {
  const stream = new ReadableStream({ start(c) { setInterval(() => c.enqueue(":"), 1000); } });
  return new Response(stream, { headers: kHeaders });
}
// file: app/api/s/route.ts
import { ticks } from "@/lib/sse";
export function GET() { return ticks(); }
)",
       {kStream + "lib/sse.ts:1"}},
      {"asked of somebody else, and compared",
       R"(// file: app/api/s/route.ts
export async function GET() {
  setInterval(() => 1, 1000).unref();
  const r = await fetch("https://example.com", { headers: { Accept: "text/event-stream" } });
  if (r.headers.get("content-type")?.includes("text/event-stream")) return new Response(r.body);
  return Response.json(await r.json());
}
)",
       {}},
  });
}

TEST_CASE("after the response: promises of other objects, setImmediate") {
  expect({
      {"then and catch make a promise of whatever is called",
       R"(// file: app/api/a/route.ts
import { queue } from "@/lib/queue";
import { db } from "@/lib/db";
export async function POST(request) {
  queue.send({ name: "order" }).catch(() => {});
  db.from("log")
    .insert({ a: 1 })
    .then(() => {});
  void queue.flush();
  return new Response();
}
)",
       {kFloating + "app/api/a/route.ts:4", kFloating + "app/api/a/route.ts:5",
        kFloating + "app/api/a/route.ts:8"}},
      {"axios, and clean-up that may be lost",
       R"(// file: pages/api/a.ts
import axios from "axios";
export default async function handler(req, res) {
  axios.post("https://example.com", {});
  const api = axios.create();
  const body = await api.get("/x");
  body.part.cancel().catch(() => {});
  void body.close();
  res.json({});
}
)",
       {kFloating + "pages/api/a.ts:3"}},
      {"waited for, handed over, answering by itself, or no promise to be seen",
       R"(// file: pages/api/a.ts
import { waitUntil } from "@vercel/functions";
import { queue } from "@/lib/queue";
export default async function handler(req, res) {
  await queue.send(1).catch(() => {});
  waitUntil(queue.send(2).catch(() => {}));
  queue.send(3);
  queue.find(4).then((x) => res.json(x));
}
)",
       {}},
      {"setImmediate that uses the request but not the response",
       R"(// file: pages/api/lead.ts
import { mail } from "@/lib/mail";
export default async function handler(req, res) {
  res.status(201).json({});
  setImmediate(async () => { await mail(req.body); });
}
// file: pages/api/late.ts
export default function handler(req, res) {
  setImmediate(() => res.json({}));
}
)",
       {kTimer + "pages/api/lead.ts:4"}},
  });
}
