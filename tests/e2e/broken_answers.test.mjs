// What a client gets that is no whole answer, on Fluid with instances: responses that the function breaks off, upgrades and Socket.IO requests
// that meet a page or nothing, clients that leave, a crash beside a neighbour.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, curl, isEnd, request, startSim, within } from "./harness.mjs";

const kLimitMs = 20_000; // whatever takes so long has waited for the limit
const kSoonMs = 10_000;

const kFiles = {
  "app/api/broken/route.ts": `
export const dynamic = "force-dynamic";
export async function GET() {
  const stream = new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode("first\\n"));
      await new Promise((done) => setTimeout(done, 100));
      controller.error(new Error("the model went away"));
    },
  });
  return new Response(stream, { headers: { "content-type": "text/plain" } });
}
`,
  "pages/api/destroyed.ts": `
import type { NextApiRequest, NextApiResponse } from "next";
export default async function handler(req: NextApiRequest, res: NextApiResponse) {
  if (req.query.head) {
    res.writeHead(200, { "content-type": "text/plain" });
    res.write("first\\n");
    await new Promise((done) => setTimeout(done, 100));
  }
  res.destroy(req.query.error ? new Error("broken off") : undefined);
}
`,
  "pages/api/late.ts": `
import type { NextApiRequest, NextApiResponse } from "next";
const spin = (ms: number) => { for (const end = Date.now() + ms; Date.now() < end; ); };
export default async function handler(req: NextApiRequest, res: NextApiResponse) {
  if (req.query.busy) {
    // As under hundreds of rejections, each of which is printed: the loop looks at no socket before the crash, and for long after it.
    setTimeout(() => {
      console.log("busy from now on");
      spin(1_500);
      setImmediate(() => spin(3_000));
      throw new Error("nobody catches this");
    }, 50);
    return new Promise(() => {});
  }
  if (req.query.crash) {
    setTimeout(() => { throw new Error("nobody catches this"); }, 50);
    return new Promise(() => {});
  }
  if (req.query.loop) setTimeout(() => { for (;;); }, 300);
  await new Promise((done) => setTimeout(done, Number(req.query.ms)));
  res.end("late");
}
`,
  "app/api/quiet/route.ts": `
export const dynamic = "force-dynamic";
export const maxDuration = 3;
export async function GET(request: Request) {
  const chatty = new URL(request.url).searchParams.has("chatty");
  let timer: NodeJS.Timeout;
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("begun\\n"));
      if (chatty) timer = setInterval(() => controller.enqueue(new TextEncoder().encode("tick\\n")), 200);
    },
    cancel() { clearInterval(timer); },
  });
  return new Response(stream, { headers: { "content-type": "text/plain" } });
}
`,
};

const kUpgrade = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];

describe("Broken answers on fluid", { timeout: 240_000 }, () => {
  let sim;
  before(async () => {
    const app = await copyApp(kFiles);
    sim = await startSim(["--profile", "hobby-fluid", "--set", `duration.default=${kLimitMs / 1000}s`, "--placement", "pack"], { cwd: app });
    await Promise.all([request(`${sim.url}/api/late?ms=1`), request(`${sim.url}/api/broken`).catch(() => {})]);
  });
  after(cleanUp);

  const ending = (target) => sim.waitForEvent(`end of ${target}`, isEnd({ target }), kSoonMs);
  const codes = (end) => (end.verdicts ?? []).map(({ code }) => code);

  test("Broken off: a stream that fails after its first bytes ends at once, on a cold and on a warm instance, and is told with its cause", async () => {
    for (const target of ["/api/broken?1", "/api/broken?2", "/api/broken?3"]) {
      const { status, text, cut, total } = await request(`${sim.url}${target}`);
      assert.deepEqual([status, text], [200, "first\n"]);
      assert.ok(cut, "no clean end");
      assert.ok(total < kSoonMs, `${total} ms`);
      const end = await ending(target);
      assert.equal(end.ended_by, "app");
      assert.deepEqual(codes(end), ["SIM_RESPONSE_BROKEN_OFF"]);
      assert.equal(end.verdicts[0].enforced, false);
      assert.match(end.verdicts[0].measured, /the model went away/);
      assert.match(end.verdicts[0].file, /^app\/api\/broken\/route\.ts:\d+/);
    }
  });

  test("Broken off: res.destroy() before the head is NO_RESPONSE_FROM_FUNCTION, after it a cut, both at once", async () => {
    for (const error of ["", "&error=1"]) {
      const before = await request(`${sim.url}/api/destroyed?x${error}`);
      assert.deepEqual([before.status, before.headers.get("x-vercel-error")], [502, "NO_RESPONSE_FROM_FUNCTION"]);
      assert.ok(before.total < kSoonMs, `${before.total} ms`);
      const end = await ending(`/api/destroyed?x${error}`);
      assert.deepEqual(codes(end), ["NO_RESPONSE_FROM_FUNCTION"]);
      assert.match(end.verdicts[0].file, /^pages\/api\/destroyed\.ts/);
      const later = await request(`${sim.url}/api/destroyed?head=1${error}`);
      assert.deepEqual([later.status, later.text], [200, "first\n"]);
      assert.ok(later.cut && later.total < kSoonMs, `${later.total} ms`);
      assert.deepEqual(codes(await ending(`/api/destroyed?head=1${error}`)), ["SIM_RESPONSE_BROKEN_OFF"]);
    }
  });

  test("Upgrade: one that meets a page or nothing ends at once with the answer's own status and body, and no violation", async () => {
    for (const [target, status] of [["/nope", 404], ["/", 200], ["/about", 200], ["/api/echo", 200]]) {
      await request(`${sim.url}${target}?first`); // compiled, which may take longer than any limit
      const { code, stdout, ms } = await curl("-i", "-m", "60", ...kUpgrade, `${sim.url}${target}`);
      assert.equal(code, 0, `${target}: curl ended with ${code}`);
      assert.match(stdout, new RegExp(`^HTTP/1.1 ${status} `));
      if (target !== "/api/echo") assert.match(stdout, /<\/html>$/);
      assert.ok(ms < kLimitMs, `${target}: ${ms} ms`);
      const end = await ending(target);
      assert.equal(end.code, undefined);
      assert.deepEqual(codes(end), ["SIM_NO_SOCKET_SERVER"], target);
      assert.equal(end.verdicts[0].enforced, false);
    }
  });

  test("Socket.IO: the 308 and the 404 that its client gets are named, once each, as is an upgrade", async () => {
    const poll = (path, n) => request(`${sim.url}${path}?EIO=4&transport=polling&t=${n}`);
    assert.deepEqual([(await poll("/socket.io/", 1)).status, (await poll("/socket.io", 2)).status, (await poll("/socket.io", 3)).status], [308, 404, 404]);
    assert.deepEqual(codes(await ending("/socket.io/?EIO=4&transport=polling&t=1")), ["SIM_NO_SOCKET_SERVER"]);
    const missing = await ending("/socket.io?EIO=4&transport=polling&t=2");
    assert.deepEqual(codes(missing), ["SIM_NO_SOCKET_SERVER"]);
    assert.equal(missing.verdicts[0].enforced, true);
    assert.match(missing.verdicts[0].fix, /transports: \['websocket'\]/);
    assert.deepEqual(codes(await ending("/socket.io?EIO=4&transport=polling&t=3")), []);
    const { stdout } = await curl("-i", "-m", "60", ...kUpgrade, `${sim.url}/socket.io/?EIO=4&transport=websocket`);
    assert.match(stdout, /^HTTP\/1.1 308 /);
    assert.match((await ending("/socket.io/?EIO=4&transport=websocket")).verdicts[0].fix, /addTrailingSlash: false/);
  });

  test("Client left: by reset or half close, quiet or chatty, it is one thing and no violation", async () => {
    await request(`${sim.url}/api/quiet?first`); // compiled; runs to its limit
    const leave = async (target, how) => {
      const socket = connect(sim.port, "localhost");
      const begun = new Promise((done) => socket.once("data", done));
      socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost:${sim.port}\r\n\r\n`);
      await within(kSoonMs, "first bytes", begun);
      if (how === "reset") socket.resetAndDestroy();
      else socket.destroy();
      return ending(target);
    };
    const ends = await Promise.all(["quiet", "chatty"].flatMap((what) => ["reset", "close"].map((how) => leave(`/api/quiet?${what}&${how}`, how))));
    for (const end of ends) assert.deepEqual([end.client_left, codes(end), end.code, end.ended_by], [true, [], undefined, "platform"], end.target);
    const notes = sim.events().filter(({ t, message }) => t === "notice" && /maximum duration/.test(message ?? ""));
    assert.equal(notes.length, 1);
  });

  test("Loop behind a response: who is given to the instance then is not left waiting for ever, and is told why", async () => {
    const { headers } = await request(`${sim.url}/api/late?ms=1&loop=1`);
    const { instance } = await ending("/api/late?ms=1&loop=1");
    await sim.rest(headers);
    await new Promise((done) => setTimeout(done, 500)); // the loop has begun: it tells nobody
    const { status, headers: answer } = await within(60_000, "an answer", request(`${sim.url}/api/late?ms=1&stuck=1`));
    assert.deepEqual([status, answer.get("x-vercel-error")], [500, "FUNCTION_INVOCATION_FAILED"]);
    const end = await ending("/api/late?ms=1&stuck=1");
    assert.equal(end.instance, instance);
    assert.match(end.verdicts[0].measured, /its event loop began no request though none was running on it/);
    assert.equal((await request(`${sim.url}/api/late?ms=1`)).status, 200);
  });

  test("Crash: the same verdict with and without a neighbour, who gets his answer", async () => {
    const alone = await request(`${sim.url}/api/late?crash=alone`);
    let isNeighbourDone = false;
    const neighbour = request(`${sim.url}/api/late?ms=4000`).finally(() => (isNeighbourDone = true));
    await sim.waitForEvent("the neighbour has begun", (e) => e.t === "invocation_started" && e.target === "/api/late?ms=4000");
    const beside = await request(`${sim.url}/api/late?crash=beside`);
    assert.equal(isNeighbourDone, false, "it does not wait for the neighbour");
    for (const { status, headers } of [alone, beside]) assert.deepEqual([status, headers.get("x-vercel-error")], [500, "FUNCTION_INVOCATION_FAILED"]);
    assert.deepEqual([(await neighbour).status, (await neighbour).text], [200, "late"]);
    const [one, other] = [await ending("/api/late?crash=alone"), await ending("/api/late?crash=beside")];
    assert.equal((await ending("/api/late?ms=4000")).instance, other.instance, "on one instance");
    const words = ({ code, status, ended_by, verdicts }) => [code, status, ended_by, verdicts.map((v) => [v.code, v.measured.replace(/i\d+/g, "iN")])];
    assert.deepEqual(words(other), words(one));
  });

  test("Crash: who is given to an instance just as it dies gets his answer all the same", async () => {
    for (let round = 0; round < 3; round++) {
      const crash = request(`${sim.url}/api/late?crash=${round}`);
      const others = Array.from({ length: 12 }, (_, i) => new Promise((done) => setTimeout(done, i * 12)).then(() => request(`${sim.url}/api/late?ms=30`)));
      assert.deepEqual([...new Set((await Promise.all(others)).map(({ status }) => status))], [200]);
      assert.equal((await crash).status, 500);
    }
  });

  test("Crash: who was given to an instance before it died gets his answer, however long its loop is busy with dying", async () => {
    assert.equal((await request(`${sim.url}/api/late?ms=1&warm=1`)).status, 200);
    const crash = request(`${sim.url}/api/late?busy=1`);
    await sim.output.waitFor(/busy from now on/, kSoonMs);
    const others = Array.from({ length: 10 }, (_, i) => request(`${sim.url}/api/late?ms=30&n=${i}`));
    assert.deepEqual([...new Set((await Promise.all(others)).map(({ status }) => status))], [200]);
    assert.equal((await crash).status, 500);
    const { instance } = await ending("/api/late?busy=1");
    const met = sim.events().filter((e) => e.t === "invocation_ended" && e.instance === instance && /&n=\d$/.test(e.target));
    assert.ok(met.length > 0, "one of them was given to it");
  });
});
