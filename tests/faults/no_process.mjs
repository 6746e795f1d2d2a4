// No process can be made any more (ulimit -u), while the instances that were there are killed. The kernel holds the limit against nobody who is
// root: then the run is another user's.
import { execFileSync, spawnSync } from "node:child_process";
import { chownSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Child, copyApp, eventually, kBin, tempFolder, within } from "../e2e/harness.mjs";
import { kAppFiles } from "./app.mjs";
import { disagreements, EventLog } from "./compare.mjs";
import { kMix, Load } from "./load.mjs";
import { signal } from "./meters.mjs";

const kNobody = 65_534;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Words before a command that run it as the user whom the limit holds.
const kAs = process.getuid() === 0 ? ["setpriv", `--reuid=${kNobody}`, `--regid=${kNobody}`, "--clear-groups"] : [];
const asUser = (words) => [...kAs, ...words];
const prlimit = (pid, ...words) => execFileSync(...first(asUser(["prlimit", "--pid", String(pid), ...words]))).toString().trim();
const first = ([command, ...rest]) => [command, rest];

export async function noProcess({ seed, rate, set }, hold) {
  const canRun = spawnSync(...first(asUser([kBin, "--version"])));
  if (canRun.status !== 0) return { skip: `the program cannot be run by another user (${canRun.error?.code ?? canRun.status})` };
  const app = await copyApp(kAppFiles);
  const temp = await tempFolder("t");
  if (kAs.length) {
    for (const path of [dirname(app), app, temp]) chownSync(path, kNobody, kNobody);
    // The packages are hard links: they stay whose they are.
    for (const name of readdirSync(app)) if (name !== "node_modules") execFileSync("chown", ["-R", `${kNobody}:${kNobody}`, join(app, name)]);
  }
  const eventsFile = join(temp, "events.jsonl");
  const run = [kBin, "run", "--port", "0", "--profile", "hobby-fluid", "--events", eventsFile, ...set];
  const child = new Child(...first(asUser(run)), { cwd: app, temp, env: { HOME: temp, RIG_TMP: temp } });
  child.exited.catch(() => {});
  const port = Number((await child.output.waitFor(/vercel-sim ready on http:\/\/localhost:(\d+)/, 90_000))[1]);
  const load = new Load({ port, rate, seed, mix: kMix.filter(({ how }) => ["fast", "slow", "sse"].includes(how)) });
  const wrong = [];
  const calm = await Promise.all(load.mix.map((kind) => load.one(kind)));
  for (const seen of calm) if (seen.status !== 200) wrong.push(`not served before: ${JSON.stringify(seen)}`);
  load.take();

  const makers = child.alive().filter(({ command }) => command.startsWith(`${kBin} run`) || command.includes("template.cjs"));
  const before = makers.map(({ pid }) => ({ pid, limit: prlimit(pid, "--nproc", "--output=SOFT", "--noheadings") }));
  const from = child.output.text.length;
  for (const { pid } of before) prlimit(pid, "--nproc=1:");
  const logOf = () => {
    const log = new EventLog();
    const text = readFileSync(eventsFile, "utf8");
    for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) if (line) log.add(JSON.parse(line));
    return log;
  };
  const log = logOf();
  for (const [instance, pid] of log.pids) if (log.instances.get(instance) !== "dead") signal(pid, "SIGKILL");
  const told = child.output.waitFor(/limit of processes is reached/, 10_000, from).then(() => [], () => ["that no process can be made is not told"]);
  load.start();
  await pause(hold);
  await within(60_000, "an outcome for each client", load.pause());
  wrong.push(...(await told));
  const during = load.outcomes.slice();
  if (!during.some(({ code }) => code === "SIM_NOT_READY")) wrong.push("nobody met the limit");
  // What the machine lacks is no fault of the function: no answer blames it but those that its own killed process gives.
  for (const seen of during.slice(load.mix.length)) if (seen.status !== 200 && seen.code !== "SIM_NOT_READY" && seen.code !== "FUNCTION_INVOCATION_FAILED") wrong.push(`another outcome: ${JSON.stringify(seen)}`);
  const last = during.at(-1);
  if (last.status !== 200 && last.code !== "SIM_NOT_READY") wrong.push(`the function is blamed: ${JSON.stringify(last)}`);

  for (const { pid, limit } of before) if (child.alive().some((one) => one.pid === pid)) prlimit(pid, `--nproc=${limit}:`);
  await eventually("it serves again", 30_000, async () => (await load.one(kMix[0])).status === 200).catch((error) => wrong.push(`${error.message}; printed last:\n${child.output.text.slice(-2_000)}`));
  await load.pause();
  const { code, left } = await child.stop("SIGTERM");
  if (code !== 0) wrong.push(`it ended with ${code}`);
  if (left.length) wrong.push(`processes are left: ${JSON.stringify(left)}`);
  return [...wrong, ...disagreements(load.outcomes, logOf())];
}
