// The app of probes in front of this program: what `vercel-sim parity record` captures there is what the documents say of the plan, is the same when it is
// asked again, and differs by name from another machine's.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Child, cleanUp, copyParity, startSim, tempFolder, within } from "./harness.mjs";

const kBin = process.env.VSIM_BIN ?? new URL("../../build/vercel-sim", import.meta.url).pathname;

async function parity(cwd, ...args) {
  const child = new Child(kBin, ["parity", ...args], { cwd, temp: await tempFolder("pa") });
  const { code } = await within(300_000, `parity ${args[0]}`, child.exited);
  const { text } = child.output;
  await child.stop();
  return { code, text };
}

describe("vercel-sim parity", { timeout: 900_000 }, () => {
  after(cleanUp);

  test("a run is captured, is the same as itself, and differs where its machine is another", async () => {
    const app = await copyParity();
    const dir = await tempFolder("captures");
    const sim = await startSim(["--profile", "hobby-fluid", "--set", "duration.default=6s", "--set", "edge.first_byte=3s"], { cwd: app });
    const recorded = await parity(dir, "record", sim.url, "--out", "fluid.json");
    assert.equal(recorded.code, 0, recorded.text);
    const capture = JSON.parse(await readFile(join(dir, "fluid.json"), "utf8"));
    const of = (name) => {
      const { answer, unknown } = capture.probes.find(({ probe }) => probe === name);
      return answer ?? unknown;
    };
    const cut = { whole: { status: 504, error: "FUNCTION_INVOCATION_TIMEOUT", ending: "complete" } };
    for (const [name, limit] of [["cut-default", 6], ["cut-of-file", 5]]) {
      const { stream: { seconds, ...stream }, ...whole } = of(name);
      assert.deepEqual([whole, stream], [cut, { status: 200, ending: "broken off" }], name);
      assert.ok(seconds >= limit - 1 && seconds <= limit + 5, `${name}: ${seconds} s`); // more on a busy machine
    }
    assert.deepEqual(of("cut-edge"), { whole: cut.whole });
    assert.deepEqual(of("request-body"), { below: { bytes: 4_400_000 }, above: { status: 413, error: "FUNCTION_PAYLOAD_TOO_LARGE", ending: "complete" } });
    assert.deepEqual([of("response-body").below.megabytes, of("response-body").above.error, of("response-body").streamed.megabytes], [4.4, "FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE", 6]);
    const { url15000, header17000, headers34500, notUtf8, ...sound } = of("head");
    assert.deepEqual([url15000, header17000, headers34500, notUtf8].map(({ error }) => error), ["URL_TOO_LONG", "REQUEST_HEADER_TOO_LARGE", "REQUEST_HEADER_TOO_LARGE", "MALFORMED_REQUEST_HEADER"]);
    assert.deepEqual(Object.values(sound).map(({ status }) => status), [200, 200, 200]);
    assert.deepEqual(of("module-state"), { isKept: true, isSharedWithPagesApi: false, isSharedAtOnce: true });
    assert.ok(["done", undefined].includes(of("background").after)); // undefined: another instance answered
    assert.match(of("disk").write, /^EROFS: read-only file system, open '\/var\/task\/parity-written\.txt'$/);
    // What is read and would not be deployed is told here, and let through: a row that a deployment refutes.
    assert.deepEqual([of("disk").tmp, of("files").traced, of("files").notTraced], ["done", "done", "done"]);
    const untraced = await sim.waitForEvent("of the file that nothing traces", ({ verdicts = [] }) => verdicts.some(({ code }) => code === "SIM_FILE_NOT_TRACED"), 60_000);
    assert.deepEqual(untraced.verdicts.map(({ file }) => file.replace(/:.*/, "")), ["app/api/disk/route.js"]);
    assert.deepEqual(of("loopback-own"), { localhost: "ECONNREFUSED", address: "ECONNREFUSED" });
    assert.deepEqual([of("environment").TZ, of("environment").LANG, of("environment").minutesFromUtc], ["UTC", "en_US.UTF-8", 0]);
    assert.deepEqual([of("endings").exit.error, of("error-bodies").json.words], ["FUNCTION_INVOCATION_FAILED", '{"error":{"code":"500","message":"A server error has occurred"}}']);
    assert.equal(of("request-headers").forgedIsKept, false);
    assert.equal(of("descriptors").refused, "EMFILE");
    assert.ok(["done", undefined].includes(of("client-leaves").work)); // undefined: another instance answered
    assert.deepEqual(of("broken-off"), { status: 200, ending: "broken off", text: "first\n" });
    assert.notEqual(of("socket-server").upgrade.status, 101);
    for (const said of Object.values(of("edge-code"))) assert.equal(said, "EvalError: Code generation from strings disallowed for this context");
    assert.deepEqual(Object.keys(of("neighbours")), ["3306", "5432", "6379", "11434", "27017"]);
    assert.deepEqual(of("connections"), { ofRoute: 2, ofPagesApi: 2, isShared: false });
    assert.deepEqual([of("cold-start").status, of("skew").action.notFound, of("skew").chunk.status, of("skew").named.status], [200, "1", 404, 200]);
    assert.ok(of("memory").heap.megabytes > 100);
    assert.deepEqual([of("fonts"), of("libraries")["libc.so.6"]], [{ fonts: "none" }, "there"]);
    // Told, and let through: without `--env strict` it is there.
    assert.deepEqual([of("local-variables"), of("public-variables")], [{ local: "there", committed: "there" }, { written: "there", asked: "there" }]);

    // Asked a second time: nothing in a capture is of one moment.
    const again = await parity(dir, "compare", "fluid.json", sim.url);
    assert.equal(again.code, 0, again.text);

    // As if a deployment had written to its disk.
    capture.probes.find(({ probe }) => probe === "disk").answer.write = "done";
    await writeFile(join(dir, "other.json"), JSON.stringify(capture));
    const other = await parity(dir, "compare", "fluid.json", "other.json", "--json");
    assert.equal(other.code, 1, other.text);
    const { rows } = JSON.parse(other.text);
    assert.deepEqual(rows.filter(({ result }) => result === "differs").map(({ id, differences }) => [id, differences.map(({ probe, item }) => `${probe} ${item}`)]), [["disk", ["disk write"]]]);
    const { code } = await sim.stop();
    assert.equal(code, 130);
  });
});
