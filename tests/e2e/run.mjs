// Runs the end-to-end tests: node tests/e2e/run.mjs [word in the name of a file…]. VSIM_BIN names another program, VSIM_FULL=1 runs what is too
// long for CI too.
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runFiles } from "../node_test.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const words = process.argv.slice(2);
const files = readdirSync(here)
  .filter((name) => name.endsWith(".test.mjs") && (!words.length || words.some((word) => name.includes(word))))
  .sort();
if (!files.length) {
  console.error(`no file of tests has ${words.join(" or ")} in its name`);
  process.exit(64);
}
// They compare answers and verdicts, and mind no delay: two at a time, the longest first. The others measure times, or run several apps
// themselves (matrix), and have the machine to themselves.
const kUnhurried = ["state", "next_dev", "use_cache", "layouts", "packages", "config", "certain", "machine", "made_at_build"].map((name) => `${name}.test.mjs`);
const paths = (names) => names.map((name) => join(here, name));
const together = await runFiles(paths(kUnhurried.filter((name) => files.includes(name))), { secondAttempts: 2, concurrency: 2 });
const alone = await runFiles(paths(files.filter((name) => !kUnhurried.includes(name))), { secondAttempts: 2 });
process.exit(together && alone ? 0 : 1);
