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
// Three at a time: they wait for deadlines, browsers and `next dev` about twice as long as they work, and hold on a machine that others want too. The
// long ones first; a file that failed beside others has its second attempt alone.
const kLong = ["soak", "matrix", "isolation", "packages", "templates", "parity", "hobby", "keys", "fluid"].map((name) => `${name}.test.mjs`);
const inOrder = [...kLong.filter((name) => files.includes(name)), ...files.filter((name) => !kLong.includes(name))];
process.exit((await runFiles(inOrder.map((name) => join(here, name)), { secondAttempts: 4, concurrency: 3 })) ? 0 : 1);
