// Runs the *.test.mjs of folders beside this file, one after the other: node tests/run_folder.mjs <folder>… A file that failed has a second attempt.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runFiles } from "./node_test.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const files = process.argv.slice(2).flatMap((folder) => readdirSync(join(here, folder)).filter((name) => name.endsWith(".test.mjs")).sort().map((name) => join(here, folder, name)));
if (!files.length) {
  console.error("no folder that has tests is named");
  process.exit(64);
}
process.exit((await runFiles(files, { secondAttempts: 1 })) ? 0 : 1);
