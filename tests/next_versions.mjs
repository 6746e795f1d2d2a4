// The versions of Next that the tests are run with. A combination is named `16-turbopack`, `15.2-webpack` or `14.1-webpack@24`: the version of Next
// (of a major alone the one that tests/agent pins), the bundler, and another major version of Node than the one that runs the tests.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));

export const kNewestOfMajor = ["16-turbopack", "16-webpack", "15-turbopack", "15-webpack", "14-webpack"];

// Every minor that is supported, on the newest patch, with each bundler that it has for development.
export const kEveryMinor = ["16.4", "16.3", "16.2", "16.1", "16.0", "15.5", "15.4", "15.3", "15.2", "15.1", "15.0", "14.2", "14.1", "14.0"].flatMap((next) =>
  next.startsWith("14") ? [`${next}-webpack`] : [`${next}-turbopack`, `${next}-webpack`],
);

export function partsOf(combo) {
  const [, next, bundler, node] = /^(1[4-9](?:\.\d+)?)-(turbopack|webpack)(?:@(\d+))?$/.exec(combo) ?? [];
  if (!next) throw new Error(`unknown combination ${combo}; there are ${kNewestOfMajor.join(", ")}, and others like 15.2-turbopack and 16-webpack@24`);
  const major = Number(next.split(".")[0]);
  // Turbopack is the default from Next 16 on, and webpack before.
  const flags = (bundler === "turbopack") === major >= 16 ? [] : [`--${bundler}`];
  return { next, major, bundler, node, flags };
}

// The folder whose node_modules has Next and React; installs them if they are not there.
export function packagesOf(combo) {
  const { next, major } = partsOf(combo);
  const pinned = join(here, `agent/next${major}`);
  const isPinned = next === String(major);
  const folder = isPinned ? pinned : join(here, ".next", next);
  if (!isPinned && !existsSync(join(folder, "package.json"))) {
    const given = JSON.parse(readFileSync(join(pinned, "package.json"), "utf8"));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ ...given, dependencies: { ...given.dependencies, next: `~${next}.0` } }));
  }
  const installed = join(folder, "node_modules/.package-lock.json");
  const asked = join(folder, isPinned ? "package-lock.json" : "package.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(asked).mtimeMs) return folder;
  // Not `npm ci`: it refuses a lock file without the compilers of other systems, which the registry does not always have. One at a time: files of tests
  // run beside each other, and who comes second finds it done.
  const npm = `npm install ${isPinned ? "--no-save" : "--no-package-lock"} --no-audit --no-fund --prefer-offline --loglevel=error`;
  const script = `test "$0" -nt "$1" || ${npm}`;
  const { status } = spawnSync("flock", [join(folder, ".installing"), "sh", "-c", script, installed, asked], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`npm install failed in ${folder}`);
  return folder;
}
