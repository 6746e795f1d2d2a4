// --otlp-endpoint before real next dev: the phases of an invocation whose begin and end are told seconds apart (the rest: tests/integration/spans.test.mjs).
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { cleanUp, copyApp, eventually, once, request, startSim } from "./harness.mjs";

describe("spans to a collector", { timeout: 240_000 }, () => {
  after(cleanUp);

  test("a function that runs for longer than a batch: its handler is a span below it, as long as it ran", async (t) => {
    const spans = [];
    const collector = createServer(async (incoming, response) => {
      let text = "";
      for await (const part of incoming) text += part;
      spans.push(...JSON.parse(text).resourceSpans[0].scopeSpans[0].spans);
      response.end("{}");
    }).listen(0, "127.0.0.1");
    await once(collector, "listening");
    t.after(() => (collector.closeAllConnections(), collector.close()));
    const sim = await startSim(["--profile", "hobby", "--otlp-endpoint", `http://127.0.0.1:${collector.address().port}`], { cwd: await copyApp() });
    assert.equal((await request(`${sim.url}/api/slow?ms=3500`)).status, 200);
    const root = await eventually("the invocation's span", 20_000, () => spans.find(({ name, parentSpanId }) => name === "GET /api/slow" && !parentSpanId));
    const parts = spans.filter(({ parentSpanId }) => parentSpanId === root.spanId);
    const handler = parts.find(({ name }) => name === "handler");
    assert.ok(handler, JSON.stringify(spans));
    const ms = Number(BigInt(handler.endTimeUnixNano) - BigInt(handler.startTimeUnixNano)) / 1e6;
    assert.ok(ms >= 3000 && ms < 9000, `${ms} ms`);
    assert.ok(parts.some(({ name }) => name === "compile"));
    assert.ok(parts.every(({ traceId }) => traceId === root.traceId));
    // What is left behind is told when the instance is frozen, perhaps in a later batch.
    const left = await request(`${sim.url}/api/background?ms=30000`, { method: "POST" });
    assert.equal(left.status, 202);
    const late = await eventually("what was left behind", 20_000, () => spans.find(({ name }) => name === "left running after the response"));
    const whose = await eventually("its invocation", 20_000, () => spans.find(({ spanId }) => spanId === late.parentSpanId));
    assert.equal(whose.traceId, late.traceId);
    assert.match(whose.name, /\/api\/background/);
    assert.equal(late.events[0].name, "SIM_BACKGROUND_WORK_FROZEN");
    await sim.stop();
    assert.match(sim.output.text, /spans of 2 invocations were sent to http:\/\/127/);
  });
});
