// The template of instances begins while next dev does, with an environment that is guessed: where the guess was right it goes on, else another one begins that knows all.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cleanUp, copyApp, request, startSim, tempFolder } from "./harness.mjs";

const kRoute = `
export const dynamic = "force-dynamic";
export const GET = () => Response.json({ pid: process.pid, mine: process.env.MINE, verbose: process.env.NEXT_OTEL_VERBOSE, node: process.env.NODE_ENV });
`;

describe("Ahead: the template begins while next dev does", { timeout: 200_000, skip: process.env.VSIM_E2E_SPAWN === "1" && "instances are started" }, () => {
  after(cleanUp);

  async function begun(files) {
    const app = await copyApp({ "app/api/seen/route.ts": kRoute, ...files });
    const log = join(await tempFolder("log"), "own.log");
    const sim = await startSim(["--profile", "hobby", "--set", "instances.fork=on", "--log-level", "debug", "--log-file", log], { cwd: app });
    const { status, text } = await request(`${sim.url}/api/seen`);
    assert.equal(status, 200, text);
    const answer = JSON.parse(text);
    const start = sim.events().find((event) => event.t === "instance_changed" && event.to === "spawning" && event.pid === answer.pid)?.start;
    await sim.stop("SIGINT");
    return { ...answer, start, log: readFileSync(log, "utf8"), output: sim.output.text };
  }

  test("Ahead: it goes on when next dev has told, with what .env files say", async () => {
    const { log, start, mine, node } = await begun({ ".env": "MINE=of a file\n" });
    assert.match(start, /^fork/);
    assert.deepEqual([mine, node], ["of a file", "development"]);
    assert.match(log, /the template begins ahead, pid (\d+)\n[^]*the template goes on\n[^]*the template is ready, pid \1\n/);
    assert.doesNotMatch(log, /had begun ahead/);
  });

  test("Ahead: a variable that Next's modules have asked for, and that is another one then, begins another", async () => {
    const { log, start, verbose, output } = await begun({ ".env": "NEXT_OTEL_VERBOSE=1\n" });
    assert.match(start, /^fork/);
    assert.equal(verbose, "1");
    assert.match(log, /the template that had begun ahead exited with code 79: NEXT_OTEL_VERBOSE is another one than it was loaded with\n/);
    assert.match(log, /the template is ready, pid/);
    assert.doesNotMatch(output, /begins anew|one by one/);
  });
});
