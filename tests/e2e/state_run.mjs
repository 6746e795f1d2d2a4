// Small apps whose state in modules is looked at: made for a combination of Next and bundler, asked one request after the other, and what is told of it.
import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { isEnd, kApp, within } from "./harness.mjs";
import { makeApp } from "./matrix_app.mjs";

export const kCode = "SIM_STATE_NOT_SHARED";
const kConfig = JSON.stringify({
  compilerOptions: { target: "ES2022", lib: ["dom", "esnext"], module: "esnext", moduleResolution: "bundler", jsx: "preserve", strict: true, noEmit: true, paths: { "@/*": ["./*"] } },
});

// Sends one request of a case and waits until all that it did is told.
export async function ask(sim, asked, cookies) {
  const { path, form, stays, withCookie, ...options } = asked;
  const headers = { ...options.headers, ...(withCookie && { cookie: cookies.join("; ") }) };
  if (form) Object.assign(options, { method: "POST", body: await formOf(sim, path, form) });
  const stop = new AbortController();
  const response = await within(120_000, path, fetch(sim.url + path, { ...options, headers, signal: stop.signal }));
  assert.ok(response.status < 400, `${path}: ${response.status}`);
  for (const cookie of response.headers.getSetCookie()) cookies.push(cookie.split(";")[0]);
  if (stays) {
    await within(20_000, `the first bytes of ${path}`, response.body.getReader().read());
    return () => stop.abort();
  }
  await response.text();
  await sim.waitForEvent(`the end of ${path}`, isEnd({ request_id: response.headers.get("x-vercel-id") }));
  // On Fluid an instance is not at rest while others are on it, a stream for example whose client has left.
  if (!sim.profile.endsWith("-fluid")) await sim.rest(response.headers);
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

export function toldBy(sim, from) {
  const said = [];
  for (const { route, verdicts = [] } of sim.events().slice(from))
    for (const { code, measured, file, enforced, route: own } of verdicts)
      if (code === kCode) said.push(`${/^`([^`]+)`/.exec(measured)?.[1]} in ${file.replace(/:\d+$/, "")} → ${own ?? route}${enforced ? "" : " (suspected)"}`);
  return said.sort();
}

const kLayout = "export default function Layout({ children }: { children: React.ReactNode }) { return <html><body>{children}</body></html>; }\n";

export async function appOf(combo, ...given) {
  const files = Object.assign({ "tsconfig.json": kConfig, "app/layout.tsx": kLayout }, ...given);
  const app = await makeApp(combo, files, null);
  // Next installs it otherwise.
  for (const name of ["typescript", "@types", "csstype", "undici-types"]) await cp(join(kApp, "node_modules", name), join(app, "node_modules", name), { recursive: true });
  return app;
}
