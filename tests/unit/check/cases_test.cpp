// Small projects after what public apps do: where a rule must speak, and where it must not.
#include <catch2/catch.hpp>

#include <string>

#include "unit/check/projects.hpp"

using vsim::check::test::expect;

namespace {

const std::string kStream = "sse-without-reconnect ";
const std::string kFloating = "floating-promise-after-response ";
const std::string kTimer = "timer-outlives-response ";
const std::string kWrite = "fs-write-outside-tmp ";
const std::string kEdge = "edge-incompatible-import ";
const std::string kClient = "socket-io-client-without-websocket-transport ";

}  // namespace

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

TEST_CASE("writes: choices, constants of other files, libraries that write") {
  expect({
      {"one way out of the working directory",
       R"(// file: app/api/a/route.ts
import { mkdirSync } from "fs";
import path from "path";
import { projectDirectory } from "@/lib/db";
export async function POST(request) {
  const id = await request.text();
  const base = id ? projectDirectory(id) : path.join(process.cwd(), "data");
  mkdirSync(path.join(base, "x"), { recursive: true });
  return new Response();
}
)",
       {kWrite + "app/api/a/route.ts:7"}},
      {"a choice by the environment, or with /tmp in it",
       R"(// file: app/api/a/route.ts
import { mkdirSync } from "fs";
import os from "os";
const kBase = process.env.ON_VERCEL ? os.homedir() : "./data";
const kOther = big() ? "/tmp/x" : "./data";
export async function POST() { mkdirSync(kBase); mkdirSync(kOther); return new Response(); }
)",
       {}},
      {"a constant of another file",
       R"(// file: lib/paths.ts
import path from "path";
export const kUploads = path.join(process.cwd(), "public", "uploads");
export const kScratch = path.join("/tmp", "x");
export let kLater = "./data";
// file: app/api/a/route.ts
import fs from "fs/promises";
import { kLater, kScratch, kUploads } from "@/lib/paths";
export async function POST() {
  await fs.mkdir(kUploads);
  await fs.mkdir(kScratch);
  await fs.mkdir(kLater);
  return new Response();
}
)",
       {kWrite + "app/api/a/route.ts:4"}},
      {"sharp and formidable",
       R"(// file: pages/api/a.ts
import sharp from "sharp";
import formidable from "formidable";
export default async function handler(req, res) {
  await sharp("a.png").resize(9).toFile("./public/a.webp");
  await sharp("a.png").toFile("/tmp/a.webp");
  const form = formidable({ uploadDir: "./public/uploads" });
  const scratch = formidable({ uploadDir: "/tmp" });
  form.uploadDir = "public/x";
  res.json({});
}
)",
       {kWrite + "pages/api/a.ts:4", kWrite + "pages/api/a.ts:6", kWrite + "pages/api/a.ts:8"}},
      {"the same words without those packages",
       R"(// file: pages/api/a.ts
import { save } from "./x";
export default async function handler(req, res) {
  await save().toFile("./public/a.webp");
  save({ uploadDir: "./public" });
  res.json({});
}
)",
       {}},
      {"a database in the working directory",
       R"(// file: lib/db.ts
import Database from "better-sqlite3";
import path from "path";
const db = new Database(path.join(process.cwd(), "app.db"));
db.exec("CREATE TABLE IF NOT EXISTS a (x) ");
export default db;
// file: app/api/a/route.ts
import db from "@/lib/db";
export function GET() {
    return Response.json(db.prepare("select 1").all()); }
)",
       {kWrite + "lib/db.ts:3"}},
      {"a database that is only read, one in memory, one of a script",
       R"(// file: lib/db.ts
import Database from "better-sqlite3";
export const cities = new Database("./cities.db");
// file: lib/more.ts
import Database from "better-sqlite3";
const kSetUp = "CREATE TABLE a (x) ";
  export const a = new Database("./a.db", {readonly : true});
  export const b = new Database(":memory:");
// file: scripts/seed.ts
import Database from "better-sqlite3";
  new Database("./app.db").exec("CREATE TABLE a (x) ");
  // file: app/api/a/route.ts
  import{cities} from "@/lib/db";
  import{a, b} from "@/lib/more";
  export function GET() { return Response.json([ cities, a, b ].length); }
)",
       {}},
  });
}

TEST_CASE("edge: packages that need Node.js, in the function's own file") {
  expect({
      {"imported and used there",
       R"(// file: middleware.ts
import { NextResponse } from "next/server";
import jwt from "jsonwebtoken";
export function middleware() { jwt.verify("a", "b"); return NextResponse.next(); }
)",
       {kEdge + "middleware.ts:2"}},
      {"in Node.js, as types, or somewhere behind another import",
       R"(// file: middleware.ts
import { NextResponse } from "next/server";
import jwt from "jsonwebtoken";
export const runtime = "nodejs";
export function middleware() { jwt.verify("a", "b"); return NextResponse.next(); }
// file: lib/user.ts
import bcrypt from "bcrypt";
export const kName = "user";
export const check = (a, b) => bcrypt.compare(a, b);
// file: app/api/a/route.ts
import type { Connection } from "mongoose";
import path from "path";
import { kName } from "@/lib/user";
export const runtime = "edge";
export function GET() { return new Response(path.basename(kName)); }
)",
       {}},
  });
}

TEST_CASE("socket.io clients: an API route's path is this site") {
  expect({
      {"made with new, through a cast",
       R"(// file: components/socket.tsx
"use client";
import { io as ClientIO } from "socket.io-client";
export const socket = new (ClientIO as any)(process.env.NEXT_PUBLIC_SITE_URL!, { path: "/api/socket/io" });
)",
       {kClient + "components/socket.tsx:3"},
       "pro-fluid"},
      {"another server, or no polling",
       R"(// file: components/socket.tsx
"use client";
import { io } from "socket.io-client";
export const a = io(process.env.NEXT_PUBLIC_SOCKET_URL!, { path: "/socket.io" });
export const b = io(process.env.NEXT_PUBLIC_SOCKET_URL!);
export const c = io(process.env.NEXT_PUBLIC_SITE_URL!, { path: "/api/socket/io", transports: ["websocket"] });
)",
       {},
       "pro-fluid"},
  });
}

TEST_CASE("what a rule looks for is missing: nothing is read beside the sources") {
  expect({
      {"a callback that `new` is given, at the top of a module",
       R"(// file: app/api/a/route.ts
let n = 0;
const gate = new Gate(() => { n += 1; });
export async function GET() { return Response.json(await gate.pass()); }
)",
       {}},
      {"a file that is being typed",
       R"(// file: app/api/a/route.ts
export function GET(request: Request) y
  let timer;
  const stream = new ReadableStream({ start(c) { timer = setInterval(() => c.enqueue("x"), 1000); } });
  return new Response(stream);
}
)",
       {}},
  });
}
