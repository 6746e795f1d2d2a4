// The memory budget of all instances, in front of a real `next dev`: what they weigh together comes back under it, whoever is not needed goes
// in the stated order, and every request gets its answer. What the kernel says of the processes is the measure, not what the program believes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, get } from "node:http";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, eventually, isEnd, once, request, startSim, within } from "./harness.mjs";

const kBudget = 400e6;
// Between two readings: what is shared with processes that came or went meanwhile, and what a process still gives back or takes.
const kSlack = 30e6;
const kBackMs = 15_000;
const kLeak = 50e6;

// With a maximum duration of its own, so that it shares an instance with no other.
const route = (seconds, body) => `
export const dynamic = "force-dynamic";
export const maxDuration = ${seconds};
${body}
`;
const kRoutes = [..."abcdefghi"]; // two more than there is room for, at 45 to 48 MB each and 80 for the next
const kOwn = `
import { headers } from "next/headers";
export const dynamic = "force-dynamic";
export default async function Page({ searchParams }: { searchParams: Promise<{ n: string }> }) {
  const host = (await headers()).get("host");
  const got: string[] = [];
  for (const name of ["a", "b"]) {
    const answer = await fetch(\`http://\${host}/api/\${name}?n=\${(await searchParams).n}\`, { cache: "no-store" });
    got.push((await answer.json()).text);
  }
  return <p>{got.join(",")}</p>;
}
`;
const kFiles = {
  ...Object.fromEntries(
    kRoutes.map((name, i) => [
      `app/api/${name}/route.ts`,
      route(
        20 + i,
        `export function GET(request: Request) {
  return Response.json({ text: "${name}" + new URL(request.url).searchParams.get("n"), pid: process.pid });
}`,
      ),
    ]),
  ),
  "app/api/leak/route.ts": route(
    30,
    `const kept: Buffer[] = [];
export function GET() {
  kept.push(Buffer.alloc(${kLeak}, 1));
  return Response.json({ kept: kept.length, pid: process.pid });
}`,
  ),
  "app/api/gate/route.ts": route(
    60,
    `export async function GET(request: Request) {
  const n = new URL(request.url).searchParams.get("n");
  return new Response(await (await fetch(process.env.E2E_GATE + "/" + n + "/" + process.pid, { cache: "no-store" })).text());
}`,
  ),
  "app/own/page.tsx": kOwn,
};

// One that can leave, as an aborted fetch does: it closes its direction, and nothing else is heard of it.
function client(url) {
  const outgoing = get(url, { agent: false });
  const answer = new Promise((done, fail) => {
    outgoing.once("error", fail);
    outgoing.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.once("end", () => done(text)).once("error", fail);
    });
  });
  answer.catch(() => {});
  return { answer, leave: () => outgoing.destroy() };
}

const json = async (url) => {
  const answer = await request(url);
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text);
};

function pss(pid) {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))[1]) * 1024;
  } catch {
    return 0; // gone
  }
}
const instances = (sim) => sim.alive().filter(({ command }) => /instance\.cjs/.test(command));
const weight = (sim) => instances(sim).reduce((sum, { pid }) => sum + pss(pid), 0);
const mb = (bytes) => `${Math.round(bytes / 1e6)} MB`;
const changes = (sim, from = 0) => sim.events().filter((event) => event.t === "instance_changed" && event.seq > from);
const lastSeq = (sim) => sim.events().at(-1)?.seq ?? 0;

// Each instance that went because room was needed, since that event, had been unused the longest of all that were free then, by the order of
// the events. (Those that were started above the budget for requests of functions go first, under another name.)
function assertLeastRecentlyUsed(sim, begin = 0) {
  const free = new Map(); // to the event since which it is
  let checked = 0;
  for (const event of sim.events()) {
    if (event.t !== "instance_changed") continue;
    const { instance, to, why, from } = event;
    if (to === "dying" && why === "memory" && event.seq > begin) {
      const since = free.get(instance);
      assert.ok(since !== undefined, `${instance} was not free`);
      for (const [other, at] of free) assert.ok(at >= since, `${instance} went before ${other}, which was unused for longer`);
      checked += 1;
    }
    if (["dying", "dead", "leased", "binding", "retired"].includes(to)) free.delete(instance);
    else if (to === "spare" || from === "leased" || from === "binding") free.set(instance, event.seq);
  }
  return checked;
}

describe("Memory: the budget of all instances", { timeout: 300_000 }, () => {
  let sim;
  let gate;
  const atGate = []; // { n, pid, open }

  before(async () => {
    gate = createServer((incoming, response) => {
      const [, n, pid] = incoming.url.split("/");
      atGate.push({ n: Number(n), pid: Number(pid), open: () => response.end(`gate ${n}`) });
      gate.emit("arrived");
    }).listen(0, "127.0.0.1");
    await once(gate, "listening");
    const app = await copyApp(kFiles);
    sim = await startSim(["--profile", "hobby", "--isolation", "instance", "--set", `memory.budget=${kBudget / 1e6}MB`], {
      cwd: app,
      env: { E2E_GATE: `http://127.0.0.1:${gate.address().port}` },
    });
  });
  after(async () => {
    gate.closeAllConnections();
    gate.close();
    await cleanUp();
  });

  const backUnderBudget = (t) =>
    eventually("all instances together under the budget", kBackMs, () => {
      const bytes = weight(sim);
      return bytes > 0 && bytes <= kBudget + kSlack && t.diagnostic(`${instances(sim).length} instances weigh ${mb(bytes)}`) === undefined;
    });

  test("Memory: nine functions in turn and at once: right answers, and the least recently used go", async (t) => {
    for (let round = 0; round < 2; round += 1)
      for (const name of kRoutes) assert.equal((await json(`${sim.url}/api/${name}?n=${round}`)).text, `${name}${round}`);
    await backUnderBudget(t);
    let most = 0;
    let open = 3 * kRoutes.length;
    const all = Promise.all(
      Array.from({ length: open }, async (_, n) => {
        const name = kRoutes[n % kRoutes.length];
        assert.equal((await json(`${sim.url}/api/${name}?n=${n}`)).text, `${name}${n}`);
        open -= 1;
      }),
    );
    await eventually("answers to all that came at once", 60_000, () => {
      most = Math.max(most, weight(sim));
      return open === 0;
    });
    await all;
    await backUnderBudget(t);
    const checked = assertLeastRecentlyUsed(sim);
    assert.ok(checked >= 3, `${checked} went for lack of room`);
    t.diagnostic(`${checked} went for lack of room; at most ${mb(most)} at once`);
    assert.ok(most < kBudget * 1.5, mb(most));
  });

  test("Memory: one that leaks is let go of, and the others live on", async (t) => {
    const pid = {};
    for (const name of ["a", "b"]) pid[name] = (await json(`${sim.url}/api/${name}?n=0`)).pid;
    const from = lastSeq(sim);
    const kept = [];
    for (let n = 0; n < 12; n += 1) {
      kept.push((await json(`${sim.url}/api/leak`)).kept);
      for (const name of ["a", "b"]) assert.equal((await json(`${sim.url}/api/${name}?n=${n}`)).pid, pid[name], `request ${n}, kept ${kept}`);
    }
    assert.ok(Math.max(...kept) < 8, `kept ${kept}`);
    const gone = changes(sim, from).filter(({ to, why }) => to === "dying" && why === "grown");
    assert.ok(gone.length >= 1 && gone.every((event) => event.function === "/api/leak"), JSON.stringify(gone));
    t.diagnostic(`kept ${kept.join(" ")}; let go of at ${gone.map(({ memory }) => mb(memory)).join(", ")}`);
    await backUnderBudget(t);
  });

  test("Memory: pages that fetch their own API while the budget is full get their answers", async (t) => {
    const from = lastSeq(sim);
    const pages = await within(
      90_000,
      "ten pages",
      Promise.all(Array.from({ length: 10 }, (_, n) => request(`${sim.url}/own?n=${n}`))),
    );
    for (const [n, page] of pages.entries()) {
      assert.equal(page.status, 200);
      assert.match(page.text, new RegExp(`<p>a${n},b${n}</p>`));
    }
    await backUnderBudget(t);
    const started = changes(sim, from).filter(({ to }) => to === "spawning").length;
    t.diagnostic(`${started} instances were started for 10 pages and 20 requests of theirs`);
  });

  test("Memory: whose client has left gives up its instance for those that wait", async (t) => {
    const from = lastSeq(sim);
    const kClients = 12;
    const clients = Array.from({ length: kClients }, (_, n) => client(`${sim.url}/api/gate?n=${n}`));
    const arrived = () => (atGate.length ? Promise.resolve() : once(gate, "arrived"));
    await within(30_000, "the first at the gate", arrived());
    const first = atGate[0];
    clients[first.n].leave();
    const gone = await sim.waitForEvent("its instance goes", (event) => event.seq > from && event.t === "instance_changed" && event.why === "abandoned", 30_000);
    assert.equal(gone.pid, first.pid);
    const end = await sim.waitForEvent("its end", isEnd({ target: `/api/gate?n=${first.n}` }), 10_000);
    assert.equal(end.instance, gone.instance);
    t.diagnostic(`${atGate.length} of ${kClients} had an instance`);
    assert.ok(atGate.length < kClients);
    // The others: each waits for its turn, and nobody's is taken.
    let opened = 0;
    const open = () => {
      for (; opened < atGate.length; opened += 1) atGate[opened].open();
    };
    gate.on("arrived", open);
    open();
    for (const [n, { answer }] of clients.entries()) {
      if (n === first.n) continue;
      const got = await within(60_000, `answer ${n}`, answer);
      assert.equal(got, `gate ${n}`);
    }
    const abandoned = changes(sim, from).filter(({ to, why }) => to === "dying" && why === "abandoned");
    assert.deepEqual(abandoned.map(({ pid }) => pid), [first.pid]);
    await backUnderBudget(t);
    assertLeastRecentlyUsed(sim, from);
  });

  test("Memory: each invocation ended once, and nothing is left", async () => {
    const ids = sim.events().filter(({ t }) => t === "invocation_ended").map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const end = await sim.stop();
    assert.deepEqual(end.left, []);
    assert.deepEqual(end.files, []);
  });
});
