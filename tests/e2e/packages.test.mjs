// Real packages (packages/table.mjs) answer in front of vercel-sim as they do under plain `next dev`, on every profile, and nobody is told a violation that is
// none. CI runs the quick ones in one app; VSIM_FULL=1 each in an app of its own, with Cache Components and without. VSIM_PACKAGES=word,word names some,
// VSIM_PROFILES=hobby,pro the profiles; VSIM_TOGETHER=1 puts those named into one app that have no config of their own,
// and of those with sockets, which take each other's upgrades, the quick ones: quicker.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cleanUp, kFull, kRepo, startNextDev, startSim, tempFolder, within } from "./harness.mjs";
import { makeApp } from "./packages/app.mjs";
import * as servers from "./packages/servers.mjs";
import { talk } from "./packages/sockets.mjs";
import { kRows } from "./packages/table.mjs";

async function ask(url, asked) {
  const { path, mask, until, told: _, ...options } = typeof asked === "string" ? { path: asked } : asked;
  const stop = new AbortController();
  const response = await within(60_000, path, fetch(url + path, { redirect: "manual", signal: stop.signal, ...options }));
  let text = "";
  const decoder = new TextDecoder("latin1");
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (until?.test(text)) break;
  }
  stop.abort();
  const from = (value) => value?.replaceAll(url, "ORIGIN");
  const { status, headers } = response;
  const cookies = headers.getSetCookie().map((cookie) => cookie.split("=")[0]);
  return { path, status, type: headers.get("content-type"), location: from(headers.get("location")), cookies, text: (mask ?? String)(from(text)) };
}

async function askAll(url, rows) {
  const answers = [];
  for (const asked of rows.flatMap((row) => row.requests)) answers.push(await ask(url, asked));
  return answers;
}

// Plain next dev has the server of each socket, the platform has none and says so.
async function talkToAll(url, rows, sim) {
  for (const socket of rows.flatMap((row) => row.sockets ?? [])) {
    const heard = await talk(url, socket);
    assert.equal(heard, sim ? "refused" : "word", `${socket.path} through ${socket.by}`);
    if (sim) await sim.waitForEvent(`why ${socket.path} is refused`, (event) => isOfSocket(event, socket) && event.verdicts.some(({ code }) => socket.told.test(code)), 10_000);
  }
}

const isOfSocket = (event, { path, told }) => event.t === "invocation_ended" && event.target?.startsWith(path) && event.verdicts?.every(({ code }) => told.test(code));

// Every verdict of the run as "route: measured (file)", but those that the table asks for, which have to be there.
async function checkVerdicts(sim, rows) {
  const asked = rows.flatMap((row) => row.requests).filter(({ told }) => told);
  for (const { path, told } of asked)
    await sim.waitForEvent(`what ${path} left`, (event) => event.t === "background_work" && event.route === path && told.test(event.verdicts[0].measured), 10_000);
  const isAsked = (event) => event.t === "background_work" && asked.some(({ path }) => path === event.route);
  const sockets = rows.flatMap((row) => row.sockets ?? []);
  const isMaybe = ({ verdicts }) => rows.some(({ mayTell }) => mayTell && verdicts.every(({ enforced, measured }) => !enforced && mayTell.test(measured)));
  const told = sim.events().filter((event) => event.verdicts?.length > 0 && !isAsked(event) && !isMaybe(event) && !sockets.some((socket) => isOfSocket(event, socket)));
  assert.deepEqual(told.flatMap(({ route, target, verdicts }) => verdicts.map(({ code, measured, file }) => `${route ?? target}: ${code} ${measured} (${file})`)), []);
  for (const event of sim.events().filter(isAsked)) assert.doesNotMatch(event.verdicts[0].file ?? "", /node_modules/, "a place is the app's");
}

function compare(all, profiles, isCached) {
  const names = all.map((row) => row.name).join(", ");
  describe(`Packages${isCached ? " with Cache Components" : ""}: ${names}`, { timeout: 900_000 }, () => {
    const services = [];
    after(async () => {
      await Promise.all(services.map((service) => service.stop()));
      await cleanUp();
    });
    test(`Packages: ${names} answer on ${profiles.join(", ")} as under plain next dev`, async (t) => {
      const ports = new Map();
      for (const name of new Set(all.map((row) => row.service).filter(Boolean))) {
        const service = await servers[name](await tempFolder("db"));
        if (!service) continue;
        services.push(service);
        ports.set(name, service.port);
      }
      // What is not on this machine takes its own rows along and no other.
      const rows = all.filter(({ service }) => !service || ports.has(service));
      for (const row of all) if (!rows.includes(row)) t.diagnostic(`left out: ${row.name}, no ${row.service} on this machine`);
      if (rows.length === 0) return t.skip(`no ${all[0].service} on this machine`);
      const cwd = await makeApp(rows, isCached, ports);
      const plain = await startNextDev(cwd);
      const expected = await askAll(plain.url, rows);
      await talkToAll(plain.url, rows);
      await plain.stop();
      for (const { path, status, text } of expected) assert.equal(Math.floor(status / 100) === 5, false, `plain next dev, ${path}: ${status} ${text}`);
      for (const profile of profiles) {
        const sim = await startSim(["--profile", profile, "--set", "network.loopback=off"], { cwd });
        assert.deepEqual(await askAll(sim.url, rows), expected, profile);
        await talkToAll(sim.url, rows, sim);
        for (const { prints } of rows) if (prints) await sim.output.waitFor(prints, 5_000);
        await checkVerdicts(sim, rows);
        await sim.stop();
      }
    });
  });
}

const kProfiles = process.env.VSIM_PROFILES?.split(",") ?? (await readdir(join(kRepo, "profiles"))).map((name) => name.replace(/\.yaml$/, "")).sort();
const words = (process.env.VSIM_PACKAGES ?? "").split(",");
const chosen = kRows.filter((row) => (kFull || row.isQuick) && words.some((word) => row.name.includes(word)));
const isTogether = process.env.VSIM_TOGETHER === "1";
if (!kFull) compare(chosen, ["hobby", "hobby-fluid"], false);
for (const isCached of kFull && isTogether ? [false, true] : []) {
  compare(
    chosen.filter((row) => !row.config && (!row.sockets || row.isQuick) && !(isCached && row.onlyWithoutCacheComponents)),
    kProfiles,
    isCached,
  );
}
for (const row of kFull && !isTogether ? chosen : []) {
  compare([row], kProfiles, false);
  if (!row.onlyWithoutCacheComponents && !row.config) compare([row], ["hobby", "hobby-fluid"], true);
}
