// `vercel-sim run --profile hobby` in front of the example app: what it cuts, what it refuses, and what it leaves alone. One process
// serves all tests; what lasts ten seconds is started first and waited for together.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { EventSource } from "eventsource";
import { io } from "socket.io-client";
import { WebSocket } from "ws";
import { openChat } from "./chat_page.mjs";
import { cleanUp, copyApp, curl, editFile, isEnd, listens, once, request, startBrowser, startSim, tempFolder, within } from "./harness.mjs";

const kId = /^[a-z]{3,4}\d::(?:[a-z]{3,4}\d::)?[a-z0-9]{5}-\d{13}-[0-9a-f]{12}$/;
const kLimitMs = 10_000; // of the hobby profile
const kHosts = ["localhost", "127.0.0.1"];

// Begun now, judged later: a failure is reported by the test that waits for it.
function begun(promise) {
  promise.catch(() => {});
  return promise;
}

const headerNames = (headers) => [...headers.keys()].filter((name) => !["connection", "keep-alive"].includes(name)).sort();

function assertPlatformError(response, status, code, type) {
  assert.equal(response.status, status);
  assert.equal(response.headers.get("x-vercel-error"), code);
  assert.equal(response.headers.get("server"), "Vercel");
  assert.equal(response.headers.get("cache-control"), "public, max-age=0, must-revalidate");
  assert.match(response.headers.get("content-type"), type);
  assert.match(response.headers.get("x-vercel-id"), kId);
  assert.equal(response.headers.get("x-vercel-sim"), code);
  assert.deepEqual(headerNames(response.headers), [
    "cache-control",
    "content-length",
    "content-type",
    "date",
    "server",
    "x-vercel-error",
    "x-vercel-id",
    "x-vercel-sim",
  ]);
}

function sseByEventSource(url) {
  const begin = performance.now();
  const source = new EventSource(url);
  const ticks = [];
  source.addEventListener("tick", (event) => ticks.push(JSON.parse(event.data).n));
  return within(
    25_000,
    "an error of the EventSource",
    new Promise((done) => {
      source.onerror = (event) => {
        const readyState = source.readyState;
        source.close();
        done({ ticks, readyState, code: event.code, ms: performance.now() - begin });
      };
    }),
  );
}

describe("Hobby", { timeout: 400_000 }, () => {
  let app;
  let sim;
  let browser;
  const long = {};

  before(async () => {
    app = await copyApp();
    sim = await startSim(["--profile", "hobby"], { cwd: app });
    browser = await startBrowser();
    const slow = (accept) => begun(request(`${sim.url}/api/slow?ms=15000`, { headers: accept ? { accept } : {} }));
    long.text = slow();
    long.json = slow("application/json");
    long.html = slow("text/html,application/xhtml+xml,*/*;q=0.8");
    long.limited = begun(request(`${sim.url}/api/limited?ms=8000`));
    long.eventSource = begun(sseByEventSource(`${sim.url}/api/sse`));
    long.fetch = begun(request(`${sim.url}/api/sse`));
    long.curl = begun(curl(`${sim.url}/api/sse`));
  });

  after(async () => {
    await browser?.close();
    await cleanUp();
  });

  // ------------------------------------------------------------ duration

  test("Hobby: the first request of a slow function is cut at 10 s of its own time, with the platform's text", async () => {
    const response = await long.text;
    assertPlatformError(response, 504, "FUNCTION_INVOCATION_TIMEOUT", /^text\/plain(; charset=utf-8)?$/);
    const id = response.headers.get("x-vercel-id");
    assert.equal(response.text, `An error occurred with your deployment\n\nFUNCTION_INVOCATION_TIMEOUT\n\n${id}\n`);
    assert.ok(response.ms >= kLimitMs, `answered after ${response.ms} ms`);
    const end = await sim.waitForEvent("end of /api/slow", isEnd({ target: "/api/slow?ms=15000", request_id: id }));
    assert.equal(end.status, 504);
    assert.equal(end.ended_by, "platform");
    assert.equal(end.code, "FUNCTION_INVOCATION_TIMEOUT");
    assert.ok(end.charged_ms >= kLimitMs, `charged ${end.charged_ms} ms`);
    assert.equal(end.route, "/api/slow");
    assert.match(end.file, /^app\/api\/slow\/route\.ts/);
  });

  test("Hobby: a client that accepts JSON gets the platform's JSON, with the status as a string", async () => {
    const response = await long.json;
    assertPlatformError(response, 504, "FUNCTION_INVOCATION_TIMEOUT", /^application\/json(; charset=utf-8)?$/);
    assert.equal(response.text, '{"error":{"code":"504","message":"An error occurred with your deployment"}}');
    assert.ok(response.ms >= kLimitMs, `answered after ${response.ms} ms`);
  });

  test("Hobby: a browser gets a page with the words, the code and the id", async () => {
    const response = await long.html;
    assertPlatformError(response, 504, "FUNCTION_INVOCATION_TIMEOUT", /^text\/html(; charset=utf-8)?$/);
    for (const words of ["FUNCTION_INVOCATION_TIMEOUT", "GATEWAY_TIMEOUT", response.headers.get("x-vercel-id")]) {
      assert.ok(response.text.includes(words), `${words} in ${response.text}`);
    }
  });

  test("Hobby: maxDuration = 5 in the source cuts that function at 5 s, before the plan's 10 s", async () => {
    const response = await long.limited;
    assertPlatformError(response, 504, "FUNCTION_INVOCATION_TIMEOUT", /^text\/plain/);
    assert.ok(response.ms >= 5_000, `answered after ${response.ms} ms`);
    const end = await sim.waitForEvent("end of /api/limited", isEnd({ target: "/api/limited?ms=8000" }));
    assert.ok(end.charged_ms >= 5_000 && end.charged_ms < 8_000, `charged ${end.charged_ms} ms`);
  });

  test("Hobby: an EventSource sees its stream die at 10 s", async () => {
    const { ticks, readyState, ms } = await long.eventSource;
    assert.equal(readyState, EventSource.CONNECTING); // it would connect again
    assert.ok(ms >= kLimitMs, `error after ${ms} ms`);
    assert.deepEqual(ticks.slice(0, 9), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert.ok(ticks.length <= 12, `ticks: ${ticks}`);
  });

  test("Hobby: a fetch reader of the stream gets a 200, ten seconds of events, and then an exception", async () => {
    const { status, headers, text, cut, total } = await long.fetch;
    assert.equal(status, 200);
    assert.match(headers.get("content-type"), /^text\/event-stream/);
    assert.equal(headers.get("x-vercel-error"), null);
    assert.ok(cut instanceof TypeError, `cut: ${cut}`);
    assert.ok(total >= kLimitMs, `cut after ${total} ms`);
    assert.match(text, /"n":8/);
    assert.doesNotMatch(text, /event: done/);
  });

  test("Hobby: curl calls the cut stream a partial transfer (exit code 18)", async () => {
    const { code, stdout, ms } = await long.curl;
    assert.equal(code, 18);
    assert.match(stdout, /event: tick/);
    assert.ok(ms >= kLimitMs, `cut after ${ms} ms`);
    const end = await sim.waitForEvent("end of /api/sse", isEnd({ target: "/api/sse" }));
    assert.equal(end.status, 200);
    assert.equal(end.phase, "responding");
    assert.equal(end.code, "FUNCTION_INVOCATION_TIMEOUT");
  });

  test("Hobby: a function within its limit is answered as it answers", async () => {
    const response = await request(`${sim.url}/api/slow?ms=500`);
    assert.equal(response.status, 200);
    assert.equal(response.text, '{"slept":500}');
    assert.ok(response.ms >= 500);
    assert.equal(response.headers.get("server"), "Vercel");
    assert.match(response.headers.get("x-vercel-id"), kId);
    assert.equal(response.headers.get("x-vercel-error"), null);
  });

  test("Hobby: a client that leaves does not stop the function", async () => {
    const target = "/api/slow?ms=1501";
    // With a reset: a client that closes its direction only may still read the answer.
    const socket = connect({ port: sim.port, host: "localhost" });
    await once(socket, "connect");
    socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost:${sim.port}\r\n\r\n`);
    await sim.waitForEvent("its start", (event) => event.t === "invocation_started" && event.target === target);
    socket.resetAndDestroy();
    const end = await sim.waitForEvent("end of the abandoned request", isEnd({ target }));
    assert.equal(end.client_left, true);
    assert.ok(end.charged_ms >= 1_501, `charged ${end.charged_ms} ms`);
  });

  // ------------------------------------------------------------ terminal

  test("Hobby: the terminal has one line for a function that went well, and none of Next's own", async () => {
    const [line] = await sim.output.waitFor(/^.*\/api\/slow\?ms=500\b.*$/m, 5_000);
    assert.match(line, /\bGET\b.*\b200\b.*\b\d+(\.\d+)?\s?m?s\b/);
    assert.equal(sim.output.text.match(/\/api\/slow\?ms=500\b/g).length, 1, sim.output.text);
    assert.doesNotMatch(sim.output.text, /application-code:/);
  });

  test("Hobby: the terminal says which limit struck, where it is from, in which file, and what to do", async () => {
    const [, block] = await sim.output.waitFor(/^ GET +\/api\/slow\?ms=15000 504 in .*\n((?: {2,}\S.*\n)+)/m, 5_000);
    assert.match(block, /FUNCTION_INVOCATION_TIMEOUT/);
    assert.match(block, /seen +10\.\ds, the limit is 10s$/m);
    assert.match(block, /source +https:\/\/vercel\.com\//);
    assert.match(block, /app\/api\/slow\/route\.ts/);
    assert.match(block, /fix +.*(maxDuration|Fluid|stream)/i);
  });

  test("Hobby: the events are JSON lines in order, with the times of the invocation", () => {
    const events = sim.events();
    const started = events.find((event) => event.t === "run_started");
    assert.equal(started.profile, "hobby");
    assert.equal(started.url, sim.url);
    const numbers = events.map((event) => event.seq);
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
    assert.equal(new Set(numbers).size, numbers.length);
  });

  // ------------------------------------------------------------ WebSockets

  test("Hobby: a raw WebSocket is refused with 400 at once", async () => {
    const begin = performance.now();
    const socket = new WebSocket(`ws://localhost:${sim.port}/ws`);
    const [, response] = await within(5_000, "a refusal", new Promise((done) => socket.once("unexpected-response", (...all) => done(all))));
    assert.equal(response.statusCode, 400);
    assert.equal(response.headers["x-vercel-sim"], "SIM_WEBSOCKET_REFUSED");
    assert.equal(response.headers.upgrade, undefined);
    assert.ok(performance.now() - begin < 2_000);
    socket.on("error", () => {});
    socket.terminate();
    await sim.output.waitFor(/SIM_WEBSOCKET_REFUSED/, 5_000);
  });

  test("Hobby: an upgrade on the path of a route is refused the same way", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${sim.port}/api/ws`);
    const error = await within(5_000, "an error", once(socket, "error"));
    assert.equal(error.message, "Unexpected server response: 400");
  });

  test("Hobby: socket.io-client with the WebSocket transport alone reports its transport error at once", async () => {
    await request(`${sim.url}/api/socket`);
    const begin = performance.now();
    const socket = io(sim.url, { path: "/socket.io", transports: ["websocket"], reconnection: false });
    const error = await within(5_000, "connect_error", once(socket, "connect_error"));
    socket.close();
    assert.equal(error.message, "websocket error");
    assert.ok(performance.now() - begin < 2_000);
  });

  test("Hobby: the browser console and the page name the refused WebSocket", async () => {
    const context = await browser.newContext();
    const raw = await openChat(context, sim.url, { transport: "raw", room: "r", name: "Ada" });
    await raw.join();
    await raw.waitFor("status", /^failed$/);
    await raw.waitForConsole(new RegExp(`^WebSocket connection to 'ws://localhost:${sim.port}/ws' failed`));
    await raw.waitFor("error", /^WebSocket closed: code 1006$/);

    const socketIo = await openChat(context, sim.url, { transport: "websocket", room: "r", name: "Ada" });
    await socketIo.join();
    await socketIo.waitFor("error", /^connect_error: websocket error$/);
    await socketIo.waitForConsole(new RegExp(`^WebSocket connection to 'ws://localhost:${sim.port}/socket\\.io/\\?EIO=4&transport=websocket' failed`));
    await context.close();
  });

  test("Hobby: the chat over polling, which works under next dev, never connects", async () => {
    const context = await browser.newContext();
    const ada = await openChat(context, sim.url, { transport: "polling", room: "tea", name: "Ada" });
    await ada.join();
    await ada.waitFor("error", /connect_error|disconnect/, 20_000);
    await context.close();
  });

  test("Hobby: with --isolation none the chat over polling works in one process, and the terminal calls that a false pass", async () => {
    const shared = await startSim(["--profile", "hobby", "--isolation", "none"], { cwd: await copyApp() });
    const context = await browser.newContext();
    const ada = await openChat(context, shared.url, { transport: "polling", room: "tea", name: "Ada" });
    const bob = await openChat(context, shared.url, { transport: "polling", room: "tea", name: "Bob" });
    for (const tab of [ada, bob]) {
      await tab.join();
      await tab.waitFor("status", /^connected$/);
    }
    await ada.say("polling along");
    await bob.waitFor("messages", /polling along/);
    await context.close();
    await shared.output.waitFor(/SIM_POLLING_FALSE_PASS|false pass/i, 10_000);
    assert.deepEqual((await shared.stop()).left, []);
  });

  // ------------------------------------------------------------ sizes

  test("Hobby: a 5 MB upload is refused before the function runs, for curl and for a browser", async () => {
    const file = join(await tempFolder("up"), "five");
    await writeFile(file, Buffer.alloc(5_000_000));
    const { code, stdout } = await curl("--include", "--header", "Expect:", "--data-binary", `@${file}`, `${sim.url}/api/upload`);
    assert.equal(code, 0);
    assert.match(stdout, /^HTTP\/1\.1 413 /);
    assert.match(stdout, /^x-vercel-error: FUNCTION_PAYLOAD_TOO_LARGE\r$/im);
    assert.match(stdout, /\r\n\r\nRequest Entity Too Large\n\nFUNCTION_PAYLOAD_TOO_LARGE\n\n\S+\n$/);

    const page = await browser.newPage();
    await page.goto(sim.url);
    await page.waitForFunction(() => Object.keys(document.querySelector("[data-testid=try-upload] button") ?? {}).some((key) => key.startsWith("__reactProps")));
    await page.click("[data-testid=try-upload] button");
    await page.getByTestId("try-upload").filter({ hasText: "413 FUNCTION_PAYLOAD_TOO_LARGE" }).waitFor({ timeout: 15_000 });
    await page.close();
  });

  test("Hobby: a chunked upload is refused when it passes the limit", async () => {
    const file = join(await tempFolder("up"), "five");
    await writeFile(file, Buffer.alloc(5_000_000));
    const { stdout } = await curl("--include", "--header", "Expect:", "--header", "Transfer-Encoding: chunked", "--data-binary", `@${file}`, `${sim.url}/api/upload`);
    assert.match(stdout, /^HTTP\/1\.1 413 /);
    assert.match(stdout, /^x-vercel-error: FUNCTION_PAYLOAD_TOO_LARGE\r$/im);
  });

  test("Hobby: an upload just below the measured limit passes, whole", async () => {
    const response = await request(`${sim.url}/api/upload`, { method: "POST", body: Buffer.alloc(4_493_821) });
    assert.equal(response.status, 200);
    assert.equal(response.text, '{"bytes":4493821}');
  });

  // ------------------------------------------------------------ what next dev does stays as it is

  for (const [index, host] of kHosts.entries()) {
    test(`Hobby: hot reload updates the page in a browser on ${host} and keeps its state`, async () => {
      const page = await browser.newPage();
      await page.goto(`http://${host}:${sim.port}/hot`, { timeout: 60_000 });
      const clicks = page.locator("#clicks");
      await page.waitForFunction(() => Object.keys(document.querySelector("#clicks") ?? {}).some((key) => key.startsWith("__reactProps")));
      await clicks.click();
      await clicks.filter({ hasText: "clicked 1" }).waitFor();
      await editFile(join(app, "app/hot/page.tsx"), `version ${index + 1}`, `version ${index + 2}`);
      await page.locator("#marker").filter({ hasText: `version ${index + 2}` }).waitFor({ timeout: 20_000 });
      assert.equal(await clicks.innerText(), "clicked 1");
      await page.close();
    });

    test(`Hobby: a Server Action works in a browser on ${host}`, async () => {
      const page = await browser.newPage();
      await page.goto(`http://${host}:${sim.port}/action`, { timeout: 60_000 });
      await page.waitForFunction(() => Object.keys(document.querySelector("main form") ?? {}).some((key) => key.startsWith("__reactProps")));
      await page.fill("input[name=name]", "Grace");
      await page.click("main form button");
      await page.locator("#greeting").filter({ hasText: "Hello, Grace." }).waitFor({ timeout: 20_000 });
      await page.close();
    });
  }

  test("Hobby: no page, redirect, header, request.url or request of the browser names another port", async () => {
    const named = (text) => [...text.matchAll(/(?:localhost|127\.0\.0\.1|\[::1?\]|0\.0\.0\.0)(?::|%3A)(\d+)/gi)].map((match) => Number(match[1]));
    for (const host of [...kHosts, "[::1]"]) {
      const base = `http://${host}:${sim.port}`;
      const moved = await request(`${base}/redirect`);
      assert.equal(moved.status, 307);
      const location = new URL(moved.headers.get("location"), base);
      assert.equal(location.port, String(sim.port));
      assert.equal(location.pathname, "/about");

      const echo = JSON.parse((await request(`${base}/api/echo?a=1`)).text);
      assert.equal(new URL(echo.url).port, String(sim.port));
      assert.equal(new URL(echo.origin).port, String(sim.port));
      assert.equal(echo.headers.host, `${host}:${sim.port}`);
      assert.equal(echo.headers["x-forwarded-host"], `${host}:${sim.port}`);
      assert.deepEqual(named(JSON.stringify(echo)).filter((port) => port !== sim.port), []);
      if (echo.port !== null) assert.equal(echo.port, String(sim.port));

      for (const path of ["/", "/about", "/time"]) {
        const { status, text, headers } = await request(`${base}${path}`);
        assert.equal(status, 200);
        assert.deepEqual(named(text + JSON.stringify([...headers])).filter((port) => port !== sim.port), [], path);
      }
    }
    const page = await browser.newPage();
    const asked = [];
    page.on("request", (made) => asked.push(made.url()));
    page.on("websocket", (socket) => asked.push(socket.url()));
    const hmr = page.waitForEvent("websocket", { timeout: 20_000 });
    await page.goto(`${sim.url}/about`);
    await hmr;
    await page.close();
    assert.deepEqual(asked.filter((url) => url.includes("//") && new URL(url).port !== String(sim.port)), []);
    assert.deepEqual(named(sim.output.text).filter((port) => port !== sim.port), [], sim.output.text);
  });

  test("Hobby: assets and the static page are served, and no invocation is counted for an asset", async () => {
    const icon = await request(`${sim.url}/icon.svg`);
    assert.equal(icon.status, 200);
    const end = await sim.waitForEvent("end of /icon.svg", isEnd({ target: "/icon.svg" }));
    assert.equal(end.traffic, "direct");
    const page = await sim.waitForEvent("end of /about", isEnd({ target: "/about" }));
    assert.equal(page.traffic, "prerender");
    assert.equal((await request(`${sim.url}/nowhere`)).status, 404);
  });

  test("Hobby: internal headers do not come in from a client and do not go out to one", async () => {
    const response = await request(`${sim.url}/api/echo`, { headers: { "x-vercel-sim-token": "forged", "x-vsim-id": "1" } });
    const leaked = Object.keys(JSON.parse(response.text).headers).filter((name) => /^x-(vercel-sim|vsim)/.test(name));
    assert.deepEqual(leaked, []);
    assert.deepEqual(headerNames(response.headers).filter((name) => /^x-(vercel-sim|vsim)/.test(name)), []);
  });

  test("Hobby: health is answered, for GET and for HEAD", async () => {
    assert.equal((await request(`${sim.url}/_vercel-sim/health`)).status, 200);
    const head = await request(`${sim.url}/_vercel-sim/health`, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(head.text, "");
  });

  test("Hobby: Ctrl-C with a stream, a browser and a slow function open leaves no process, no port and no file", async () => {
    const page = await browser.newPage();
    const hmr = page.waitForEvent("websocket", { timeout: 20_000 });
    await page.goto(`${sim.url}/hot`);
    await hmr;
    const stream = await fetch(`${sim.url}/api/sse`);
    await stream.body.getReader().read();
    const slow = begun(request(`${sim.url}/api/slow?ms=15000`));
    const { code, signal, left, files } = await sim.stop("SIGINT");
    assert.equal(signal, null);
    assert.equal(code, 130, sim.output.text.slice(-2_000));
    assert.deepEqual(left, []);
    assert.deepEqual(files, []);
    assert.equal(await listens(sim.port), false);
    assert.equal(await listens(sim.port, "127.0.0.1"), false);
    await Promise.allSettled([slow]);
    await page.close();
    // The dev server's lock is gone too: another can start in the same folder.
    const again = await startSim(["--profile", "hobby"], { cwd: app });
    assert.deepEqual((await again.stop("SIGTERM")).left, []);
  });
});
