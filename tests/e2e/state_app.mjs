// Small apps in one: what each keeps in the memory of its modules, what is asked of it, and what the run must say of that. A case has its files in
// folders of its own; `told` is "variable in file:line → route of who misses it", with "(suspected)" for a warning; nothing is anything else.
const json = (body) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const get = (path, options = {}) => ({ path, ...options });
const post = (path, body, options = {}) => ({ path, ...json(body), ...options });
const route = (text) => `export const dynamic = "force-dynamic";\n${text}`;
const kOk = "return Response.json({ ok: true });";

export const kLost = [
  {
    name: "a Map that one route fills and another reads",
    files: {
      "lib/s/rooms.ts": "type Room = { name: string };\n\nexport const rooms = new Map<string, Room>();\n",
      "app/s/map/put/route.ts": route(`import { rooms } from "@/lib/s/rooms";\nexport async function POST(r: Request) { const b = await r.json(); rooms.set(b.id, { name: b.name }); ${kOk} }\n`),
      "app/s/map/[id]/route.ts": route(
        `import { rooms } from "@/lib/s/rooms";\nexport async function GET(_: Request, c: { params: Promise<{ id: string }> }) { return Response.json(rooms.get((await c.params).id) ?? null); }\n`,
      ),
    },
    asks: [post("/s/map/put", { id: "lobby-7", name: "Lobby" }), get("/s/map/lobby-7")],
    told: ["rooms in lib/s/rooms.ts:3 → /s/map/[id]"],
  },
  {
    name: "an array of messages in the route itself",
    files: {
      "app/s/messages/route.ts": route(
        `const messages: { text: string }[] = [];\nexport async function POST(r: Request) { messages.push(await r.json()); ${kOk} }\nexport async function GET() { return Response.json(messages); }\n`,
      ),
    },
    asks: [post("/s/messages", { text: "good morning" }), get("/s/messages")],
    told: ["messages in app/s/messages/route.ts:2 → /s/messages"],
  },
  {
    name: "an object as a store in pages/api",
    files: {
      "pages/api/s/notes.ts": `const notes: Record<string, string> = {};\nexport default function handler(req: any, res: any) {\n  if (req.method === "POST") notes[req.body.id] = req.body.text;\n  res.json({ note: notes[req.query.id] ?? null });\n}\n`,
    },
    asks: [post("/api/s/notes", { id: "n-1", text: "buy milk" }), get("/api/s/notes?id=n-1")],
    told: ["notes in pages/api/s/notes.ts:1 → /api/s/notes"],
  },
  {
    name: "a counter",
    files: {
      "lib/s/visits.ts": "let visits = 0;\nexport function visit() {\n  return ++visits;\n}\n",
      "app/s/counter/route.ts": route(`import { visit } from "@/lib/s/visits";\nexport async function GET() { return Response.json({ visits: visit() }); }\n`),
    },
    asks: [get("/s/counter"), get("/s/counter")],
    told: ["visits in lib/s/visits.ts:1 → /s/counter"],
  },
  {
    name: "a class singleton with a Map",
    files: {
      "lib/s/store.ts": `class Carts {\n  private items = new Map<string, number>();\n  put(id: string, n: number) { this.items.set(id, n); }\n  get(id: string) { return this.items.get(id); }\n}\nexport const carts = new Carts();\n`,
      "app/s/carts/route.ts": route(
        `import { carts } from "@/lib/s/store";\nexport async function POST(r: Request) { const b = await r.json(); carts.put(b.id, b.n); ${kOk} }\nexport async function GET(r: Request) { return Response.json({ n: carts.get(new URL(r.url).searchParams.get("id")!) ?? null }); }\n`,
      ),
    },
    asks: [post("/s/carts", { id: "cart-9", n: 3 }), get("/s/carts?id=cart-9")],
    told: ["carts in lib/s/store.ts:6 → /s/carts"],
  },
  {
    name: "a singleton made when it is first asked for",
    files: {
      "lib/s/lazy.ts": `class Orders {\n  private static one: Orders | undefined;\n  private list = new Map<string, string>();\n  static get() { return (Orders.one ??= new Orders()); }\n  put(id: string, what: string) { this.list.set(id, what); }\n  find(id: string) { return this.list.get(id); }\n}\nexport default Orders;\n`,
      "app/s/lazy/route.ts": route(
        `import Orders from "@/lib/s/lazy";\nexport async function POST(r: Request) { const b = await r.json(); Orders.get().put(b.id, b.what); ${kOk} }\nexport async function GET(r: Request) { return Response.json({ what: Orders.get().find(new URL(r.url).searchParams.get("id")!) ?? null }); }\n`,
      ),
    },
    asks: [post("/s/lazy", { id: "order-4", what: "tea" }), get("/s/lazy?id=order-4")],
    told: ["Orders.one in lib/s/lazy.ts:2 → /s/lazy"],
  },
  {
    name: "a Map on globalThis",
    files: {
      "lib/s/global.ts": `const g = globalThis as unknown as { presence?: Map<string, string> };\nexport const presence = (g.presence ??= new Map<string, string>());\n`,
      "app/s/global/route.ts": route(
        `import { presence } from "@/lib/s/global";\nexport async function POST(r: Request) { const b = await r.json(); presence.set(b.user, b.state); ${kOk} }\nexport async function GET(r: Request) { return Response.json({ state: presence.get(new URL(r.url).searchParams.get("user")!) ?? null }); }\n`,
      ),
    },
    asks: [post("/s/global", { user: "ada", state: "online" }), get("/s/global?user=ada")],
    told: ["presence in lib/s/global.ts:2 → /s/global"],
  },
  {
    name: "a set of the clients of a stream, empty at the broadcast",
    files: {
      "lib/s/clients.ts": "export const clients = new Set<ReadableStreamDefaultController>();\n",
      "app/s/sse/route.ts": route(
        `import { clients } from "@/lib/s/clients";\nexport async function GET() {\n  const body = new ReadableStream({ start(c) { clients.add(c); c.enqueue(new TextEncoder().encode(": hello\\n\\n")); } });\n  return new Response(body, { headers: { "content-type": "text/event-stream" } });\n}\n`,
      ),
      "app/s/say/route.ts": route(
        `import { clients } from "@/lib/s/clients";\nexport async function POST(r: Request) { const text = await r.text(); for (const c of clients) c.enqueue(new TextEncoder().encode(text)); ${kOk} }\n`,
      ),
    },
    asks: [get("/s/sse", { stays: true }), post("/s/say", { text: "hello all" })],
    told: ["clients in lib/s/clients.ts:1 → /s/say"],
  },
  {
    name: "an EventEmitter as a bus between two routes",
    files: {
      "lib/s/bus.ts": 'import { EventEmitter } from "node:events";\nexport const bus = new EventEmitter();\n',
      "app/s/bus/route.ts": route(
        `import { bus } from "@/lib/s/bus";\nexport async function GET() {\n  const body = new ReadableStream({ start(c) { bus.on("news", (text) => c.enqueue(new TextEncoder().encode(text))); c.enqueue(new TextEncoder().encode(": hello\\n\\n")); } });\n  return new Response(body, { headers: { "content-type": "text/event-stream" } });\n}\n`,
      ),
      "app/s/emit/route.ts": route(`import { bus } from "@/lib/s/bus";\nexport async function POST(r: Request) { bus.emit("news", await r.text()); ${kOk} }\n`),
    },
    asks: [get("/s/bus", { stays: true }), post("/s/emit", { text: "hello bus" })],
    told: ["bus in lib/s/bus.ts:2 → /s/emit"],
  },
  {
    name: "sessions in memory",
    files: {
      "lib/s/sessions.ts": "export const sessions = new Map<string, { user: string }>();\n",
      "app/s/login/route.ts": route(
        `import { sessions } from "@/lib/s/sessions";\nexport async function POST(r: Request) { const { user } = await r.json(); const id = crypto.randomUUID(); sessions.set(id, { user }); return new Response("in", { headers: { "set-cookie": "sid=" + id } }); }\n`,
      ),
      "app/s/me/route.ts": route(
        `import { cookies } from "next/headers";\nimport { sessions } from "@/lib/s/sessions";\nexport async function GET() { const id = (await cookies()).get("sid")?.value ?? ""; return Response.json(sessions.get(id) ?? null); }\n`,
      ),
    },
    asks: [post("/s/login", { user: "grace" }), get("/s/me", { withCookie: true })],
    told: ["sessions in lib/s/sessions.ts:1 → /s/me"],
  },
  {
    name: "a limiter that counts visitors",
    files: {
      "lib/s/limit.ts":
        "const hits = new Map<string, { n: number; reset: number }>();\nexport function allowed(ip: string) {\n  const now = Date.now();\n  const one = hits.get(ip);\n  if (!one || one.reset < now) { hits.set(ip, { n: 1, reset: now + 60_000 }); return true; }\n  one.n++;\n  return one.n <= 5;\n}\n",
      "app/s/limited/route.ts": route(
        `import { allowed } from "@/lib/s/limit";\nexport async function GET(r: Request) { return allowed(r.headers.get("x-forwarded-for") ?? "none") ? new Response("ok") : new Response("no", { status: 429 }); }\n`,
      ),
    },
    asks: [get("/s/limited"), get("/s/limited")],
    told: ["hits in lib/s/limit.ts:1 → /s/limited (suspected)"],
  },
  {
    name: "a variable that one request sets and another reads",
    files: {
      "app/s/current/route.ts": route(
        `let current = "nothing";\nexport async function POST(r: Request) { current = (await r.json()).value; ${kOk} }\nexport async function GET() { return Response.json({ current }); }\n`,
      ),
    },
    asks: [post("/s/current", { value: "dark-mode" }), get("/s/current")],
    told: ["current in app/s/current/route.ts:2 → /s/current"],
  },
  {
    name: "what a Server Action keeps for the page",
    files: {
      "lib/s/guests.ts": "export const guests: string[] = [];\n",
      "app/s/guests/actions.ts": '"use server";\nimport { guests } from "@/lib/s/guests";\nexport async function sign(form: FormData) {\n  guests.push(String(form.get("name")));\n}\n',
      "app/s/guests/page.tsx": `import { guests } from "@/lib/s/guests";\nimport { sign } from "./actions";\nexport const dynamic = "force-dynamic";\nexport default function Page() {\n  return <form action={sign}><input name="name" /><p>{guests.join(", ")}</p></form>;\n}\n`,
    },
    asks: [{ path: "/s/guests", form: { name: "Katherine" } }, get("/s/guests")],
    told: ["guests in lib/s/guests.ts:1 → /s/guests"],
  },
  {
    name: "what a Server Action inside a page keeps for a route",
    files: {
      "lib/s/wishes.ts": "export const wishes = new Map<string, string>();\n",
      "app/s/wishes/page.tsx": `import { wishes } from "@/lib/s/wishes";\nexport const dynamic = "force-dynamic";\nexport default function Page() {\n  async function wish(form: FormData) {\n    "use server";\n    wishes.set(String(form.get("who")), String(form.get("what")));\n  }\n  return <form action={wish}><input name="who" /><input name="what" /></form>;\n}\n`,
      "app/s/wishes/of/route.ts": route(
        `import { wishes } from "@/lib/s/wishes";\nexport async function GET(r: Request) { return Response.json({ what: wishes.get(new URL(r.url).searchParams.get("who")!) ?? null }); }\n`,
      ),
    },
    asks: [{ path: "/s/wishes", form: { who: "hedy", what: "a radio" } }, get("/s/wishes/of?who=hedy")],
    told: ["wishes in lib/s/wishes.ts:1 → /s/wishes/of"],
  },
  {
    name: "what one of two Server Actions of a client component keeps",
    files: {
      "app/s/topics/actions.ts": `"use server";\nlet topic = "nothing";\nlet mood = "none";\nexport async function choose(form: FormData) { topic = String(form.get("topic")); }\nexport async function feel(form: FormData) { mood = String(form.get("mood")); }\nexport async function current() { return topic + mood; }\n`,
      "app/s/topics/form.tsx": `"use client";\nimport { choose, feel } from "./actions";\nexport function Form({ other }: { other?: boolean }) { return <form action={other ? feel : choose}><input name="topic" /></form>; }\n`,
      "app/s/topics/page.tsx": `import { Form } from "./form";\nexport const dynamic = "force-dynamic";\nexport default function Page() { return <Form />; }\n`,
      "app/s/topics/now/page.tsx": `import { current } from "../actions";\nexport const dynamic = "force-dynamic";\nexport default async function Page() { return <p>{await current()}</p>; }\n`,
    },
    asks: [{ path: "/s/topics", form: { topic: "compilers" } }, get("/s/topics/now")],
    told: ["topic in app/s/topics/actions.ts:2 → /s/topics/now"],
  },
  {
    name: "what pages/api keeps for a page's getServerSideProps",
    files: {
      "lib/s/votes.ts": "export const votes = new Map<string, string>();\n",
      "pages/api/s/vote.ts": `import { votes } from "@/lib/s/votes";\nexport default function handler(req: any, res: any) { votes.set(req.body.who, req.body.what); res.json({ ok: true }); }\n`,
      "pages/s-votes.tsx": `import { votes } from "@/lib/s/votes";\nexport async function getServerSideProps() { return { props: { all: [...votes.values()] } }; }\nexport default function Page({ all }: { all: string[] }) { return <p>{all.join(", ")}</p>; }\n`,
    },
    asks: [post("/api/s/vote", { who: "linus", what: "cats" }), get("/s-votes")],
    told: ["votes in lib/s/votes.ts:1 → /s-votes"],
  },
];

export const kInnocent = [
  {
    name: "a client on globalThis, with counters and a pool of its own",
    files: {
      "lib/i/db.ts": `class Client {\n  private pool: { busy: boolean; used: number }[] = [];\n  private queries = 0;\n  private prepared = new Map<string, string>();\n  async query(text: string, values: string[]) {\n    this.queries++;\n    this.prepared.set(text, "s" + this.prepared.size);\n    const own = this.pool.find((one) => !one.busy) ?? { busy: false, used: 0 };\n    if (!this.pool.includes(own)) this.pool.push(own);\n    own.used++;\n    return { rows: values };\n  }\n}\nconst g = globalThis as unknown as { db?: Client };\nexport const db = g.db ?? new Client();\nif (process.env.NODE_ENV !== "production") g.db = db;\n`,
      "app/i/db/route.ts": route(
        `import { db } from "@/lib/i/db";\nexport async function POST(r: Request) { return Response.json(await db.query("insert", [(await r.json()).name])); }\nexport async function GET() { return Response.json(await db.query("select", [])); }\n`,
      ),
    },
    asks: [post("/i/db", { name: "Barbara" }), get("/i/db"), get("/i/db")],
  },
  {
    name: "a memo that is filled again",
    files: {
      "lib/i/memo.ts":
        'const memo = new Map<string, number>();\nexport function slow(word: string) {\n  let n = memo.get(word);\n  if (n === undefined) memo.set(word, (n = word.length * 7));\n  return n;\n}\n',
      "app/i/memo/route.ts": route(
        `import { slow } from "@/lib/i/memo";\nexport async function GET(r: Request) { return Response.json({ n: slow(new URL(r.url).searchParams.get("q") ?? "") }); }\nexport async function POST(r: Request) { return Response.json({ n: slow((await r.json()).q) }); }\n`,
      ),
    },
    asks: [post("/i/memo", { q: "apples" }), get("/i/memo?q=apples"), get("/i/memo?q=pears")],
  },
  {
    name: "constants, the time of the start, what each instance loads alike",
    files: {
      "lib/i/flags.ts":
        'export const kPlans = new Map([["free", 1], ["pro", 2]]);\nexport const started = Date.now();\nexport const nonce = Math.random().toString(36);\nlet flags: Record<string, boolean> | undefined;\nexport async function load() {\n  return (flags ??= { beta: true, dark: false });\n}\n',
      "app/i/flags/route.ts": route(
        `import { kPlans, load, nonce, started } from "@/lib/i/flags";\nexport async function GET(r: Request) { const plan = new URL(r.url).searchParams.get("plan") ?? "free"; return Response.json({ flags: await load(), n: kPlans.get(plan), nonce, started }); }\nexport async function POST(r: Request) { const { plan } = await r.json(); return Response.json({ flags: await load(), n: kPlans.get(plan), nonce, started }); }\n`,
      ),
    },
    asks: [post("/i/flags", { plan: "pro" }), get("/i/flags?plan=pro"), get("/i/flags")],
  },
  {
    name: "the buffer of a logger",
    files: {
      "lib/i/log.ts":
        'const lines: { at: number; event: string; who: string }[] = [];\nexport function log(event: string, who: string) {\n  lines.push({ at: Date.now(), event, who });\n  if (lines.length > 50) flush();\n}\nfunction flush() {\n  const batch = lines.splice(0);\n  console.debug(batch.length);\n}\n',
      "app/i/log/route.ts": route(
        `import { log } from "@/lib/i/log";\nexport async function POST(r: Request) { log("signed up", (await r.json()).who); ${kOk} }\nexport async function GET(r: Request) { if (new URL(r.url).searchParams.has("loud")) log("looked", "nobody"); ${kOk} }\n`,
      ),
    },
    asks: [post("/i/log", { who: "dorothy" }), get("/i/log"), get("/i/log?loud=1")],
  },
  {
    name: "a cache of what a store says, with a time",
    files: {
      "lib/i/users.ts":
        'const cache = new Map<string, { at: number; user: { id: string; name: string } }>();\nexport async function user(id: string) {\n  const one = cache.get(id);\n  if (one && Date.now() - one.at < 60_000) return one.user;\n  const user = { id, name: "User " + id };\n  cache.set(id, { at: Date.now(), user });\n  return user;\n}\n',
      "app/i/users/[id]/route.ts": route(
        `import { user } from "@/lib/i/users";\nexport async function GET(_: Request, c: { params: Promise<{ id: string }> }) { return Response.json(await user((await c.params).id)); }\n`,
      ),
      "app/i/users/route.ts": route(`import { user } from "@/lib/i/users";\nexport async function POST(r: Request) { return Response.json(await user((await r.json()).id)); }\n`),
    },
    asks: [post("/i/users", { id: "u-12" }), get("/i/users/u-12"), get("/i/users/u-12")],
  },
  {
    name: "React's cache() and Next's own modules",
    files: {
      "app/i/react/page.tsx": `import { cache } from "react";\nimport { cookies, headers } from "next/headers";\nconst load = cache(async (id: string) => ({ id, at: Date.now() }));\nexport default async function Page({ searchParams }: { searchParams: Promise<{ id?: string }> }) {\n  const { id = "none" } = await searchParams;\n  await Promise.all([cookies(), headers()]);\n  return <p>{JSON.stringify(await load(id))}</p>;\n}\n`,
    },
    asks: [get("/i/react?id=a-1"), get("/i/react?id=a-1")],
  },
];
