// Fails when a promise of docs/security.md names no test, or one that is not there; when a row of what has broken (there and in docs/faults.md)
// names no test, or words that do not stand in it; and when a fuzzer has no seeds or tests/fuzz/README.md says nothing of it. Usage: node check-promises.mjs (a ctest, `promises`)
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const read = (path) => readFileSync(join(root, path), "utf8");
const wrong = [];

const promises = read("docs/security.md").split("\n").filter((line) => /^\| \*\*/.test(line));
if (!promises.length) wrong.push("docs/security.md: no promise is found");
for (const line of promises) {
  const cells = line.split(" | ");
  const tests = [...cells.at(-1).matchAll(/`([^`]+)`/g)].map(([, path]) => path);
  if (!tests.length) wrong.push(`docs/security.md: no test holds: ${cells[0]}`);
  for (const path of tests) if (!path.startsWith("tests/") || !existsSync(join(root, path))) wrong.push(`docs/security.md: there is no ${path}`);
}

// | was | held by `tests/…` "words of its name", "of another"; `tests/…` "words" |
const kWas = "| was | held by |";
let rows = 0;
for (const doc of ["docs/security.md", "docs/faults.md"]) {
  const lines = read(doc).split("\n");
  const from = lines.indexOf(kWas) + 2;
  if (from < 2) wrong.push(`${doc}: there is no table ${kWas}`);
  for (const line of lines.slice(from, from + lines.slice(from).findIndex((one) => !one.startsWith("|")))) {
    rows += 1;
    const [was, held = ""] = line.split(" | ");
    const tests = [...held.matchAll(/`(tests\/[^`]+)`((?:,? "[^"]+")+)/g)];
    if (!tests.length) wrong.push(`${doc}: no test holds: ${was}`);
    for (const [, path, words] of tests) {
      const text = existsSync(join(root, path)) ? read(path) : "";
      if (!text) wrong.push(`${doc}: there is no ${path}`);
      for (const [, name] of words.matchAll(/"([^"]+)"/g)) if (text && !text.includes(name)) wrong.push(`${doc}: ${path} has no test "${name}"`);
    }
  }
}

const readers = [...read("tests/fuzz/agent/readers.mjs").matchAll(/^ {2}(\w+): \{ run: /gm)].map(([, name]) => name);
const fuzzers = [...readdirSync(join(root, "tests/fuzz")).flatMap((name) => /^(\w+)_fuzz\.cpp$/.exec(name)?.[1] ?? []), ...readers];
const notes = read("tests/fuzz/README.md");
for (const name of fuzzers) {
  const seeds = join(root, "tests/fuzz/seeds", name);
  if (!existsSync(seeds) || !readdirSync(seeds).length) wrong.push(`tests/fuzz: ${name} has no seeds in tests/fuzz/seeds/${name}`);
  if (!notes.includes(`\`${name}\``)) wrong.push(`tests/fuzz/README.md: nothing of ${name}`);
}

for (const what of wrong) console.error(what);
console.log(`${promises.length} promises, ${rows} rows of what has broken, ${fuzzers.length} fuzzers: ${wrong.length} wrong`);
process.exit(wrong.length ? 1 : 0);
