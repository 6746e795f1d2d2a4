// The app of the agent's tests, with the packages of one combination of Next and bundler (tests/next_versions.mjs) and files of one's own.
import { execFile } from "node:child_process";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { kRepo, tempFolder } from "./harness.mjs";
import { packagesOf, partsOf } from "../next_versions.mjs";

const run = promisify(execFile);

// `from` null: an app of `files` alone.
export async function makeApp(combo, files, from = join(kRepo, "tests/agent/app")) {
  const folder = packagesOf(combo);
  const packages = join(folder, "node_modules");
  const app = join(await tempFolder("mx"), "app");
  if (from) await cp(from, app, { recursive: true });
  else await mkdir(app);
  const copy = (how) => run("cp", [how, packages, join(app, "node_modules")]);
  await copy("-al").catch(async () => {
    await rm(join(app, "node_modules"), { recursive: true, force: true });
    await copy("-a");
  });
  const { default: given } = await import(join(folder, "package.json"), { with: { type: "json" } });
  await writeFile(join(app, "package.json"), JSON.stringify({ ...given, scripts: { dev: ["next dev", ...partsOf(combo).flags].join(" ") } }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(app, path, ".."), { recursive: true });
    await writeFile(join(app, path), text);
  }
  return app;
}
