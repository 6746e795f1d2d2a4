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
    await sim.stop();
    assert.match(sim.output.text, /spans of 1 invocation were sent to http:\/\/127/);
  });
});
