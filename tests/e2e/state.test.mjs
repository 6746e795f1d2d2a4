// State in the memory of modules: what is lost between instances is told with its variable and its place, and nobody else is accused. The cases are
// state_app.mjs; VSIM_FULL=1 runs them with webpack too.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { cleanUp, copyApp, isEnd, kFull, startSim, within } from "./harness.mjs";
import { kInnocent, kLost } from "./state_app.mjs";

const kCode = "SIM_STATE_NOT_SHARED";
const kConfig = JSON.stringify({
  compilerOptions: { target: "ES2022", lib: ["dom", "esnext"], module: "esnext", moduleResolution: "bundler", jsx: "preserve", strict: true, noEmit: true, paths: { "@/*": ["./*"] } },
});

// Sends one request of a case and waits until all that it did is told.
async function ask(sim, asked, cookies) {
  const { path, form, stays, withCookie, ...options } = asked;
  const headers = { ...options.headers, ...(withCookie && { cookie: cookies.join("; ") }) };
  if (form) Object.assign(options, { method: "POST", body: await formOf(sim, path, form) });
  const stop = new AbortController();
  const response = await within(60_000, path, fetch(sim.url + path, { ...options, headers, signal: stop.signal }));
  assert.ok(response.status < 400, `${path}: ${response.status}`);
  for (const cookie of response.headers.getSetCookie()) cookies.push(cookie.split(";")[0]);
  if (stays) {
    await within(20_000, `the first bytes of ${path}`, response.body.getReader().read());
    return () => stop.abort();
  }
  await response.text();
  await sim.waitForEvent(`the end of ${path}`, isEnd({ request_id: response.headers.get("x-vercel-id") }));
  await sim.rest(response.headers);
  return () => {};
}

// What a browser without JavaScript sends for a form with a Server Action: its hidden fields with it.
async function formOf(sim, path, fields) {
  const page = await (await fetch(sim.url + path)).text();
  const body = new FormData();
  for (const [, name] of page.matchAll(/<input type="hidden" name="(\$ACTION[^"]*)"/g)) body.set(name, "");
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return body;
}

function toldBy(sim, from) {
  const said = [];
  for (const { route, verdicts = [] } of sim.events().slice(from))
    for (const { code, measured, file, enforced } of verdicts)
      if (code === kCode) said.push(`${/^`([^`]+)`/.exec(measured)?.[1]} in ${file.replace(/:\d+$/, "")} → ${route}${enforced ? "" : " (suspected)"}`);
  return said.sort();
}

function suite(name, args) {
  describe(`State in modules, ${name}`, { timeout: 900_000 }, () => {
    after(cleanUp);
    test(`State in modules, ${name}: every loss is told with its variable and place, and nothing else`, async () => {
      const files = Object.assign({ "tsconfig.json": kConfig }, ...[...kLost, ...kInnocent].map((one) => one.files));
      const sim = await startSim(["--profile", "hobby", ...args], { cwd: await copyApp(files) });
      const results = {};
      const wanted = {};
      for (const { name, asks, told = [] } of [...kLost, ...kInnocent]) {
        const from = sim.events().length;
        const cookies = [];
        const ends = [];
        for (const asked of asks) ends.push(await ask(sim, asked, cookies));
        results[name] = toldBy(sim, from);
        wanted[name] = told;
        for (const end of ends) end();
      }
      assert.deepEqual(results, wanted);
      await sim.stop();
    });
  });
}

suite("Turbopack", []);
if (kFull) suite("webpack", ["--", "npx", "next", "dev", "--webpack"]);
