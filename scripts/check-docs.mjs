// node scripts/check-docs.mjs: what the docs name is there. Each relative link of a page leads to a file, each promise of docs/security.md names
// a test that exists, and each fuzzer has seeds. Says all that is wrong, and exits with 1 then.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const read = (path) => readFileSync(join(root, path), "utf8");
const wrong = [];

const pages = execFileSync("git", ["-C", root, "ls-files", "-co", "--exclude-standard", "*.md"]).toString().split("\n").filter((page) => page && existsSync(join(root, page)));
let links = 0;
for (const page of pages) {
  const text = read(page).replaceAll(/```[\s\S]*?```/g, "").replaceAll(/`[^`\n]*`/g, "");
  for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^([a-z]+:|#)/.test(target)) continue;
    links += 1;
    if (!existsSync(join(root, dirname(page), target.split("#")[0]))) wrong.push(`${page}: a link to ${target}, which is not there`);
  }
}

const promises = read("docs/security.md").split("\n").filter((line) => /^\| \*\*/.test(line));
if (!promises.length) wrong.push("docs/security.md: no promise is found");
for (const line of promises) {
  const cells = line.split(" | ");
  const tests = [...cells.at(-1).matchAll(/`([^`]+)`/g)].map(([, path]) => path);
  if (!tests.length) wrong.push(`docs/security.md: no test holds: ${cells[0]}`);
  for (const path of tests) if (!path.startsWith("tests/") || !existsSync(join(root, path))) wrong.push(`docs/security.md: there is no ${path}`);
}

const fuzzers = readdirSync(join(root, "tests/fuzz")).flatMap((name) => /^(\w+)_fuzz\.cpp$/.exec(name)?.[1] ?? []);
const notes = read("tests/fuzz/README.md");
for (const name of fuzzers) {
  const seeds = join(root, "tests/fuzz/seeds", name);
  if (!existsSync(seeds) || !readdirSync(seeds).length) wrong.push(`tests/fuzz/${name}_fuzz.cpp: no seeds in tests/fuzz/seeds/${name}`);
  if (!notes.includes(`\`${name}\``)) wrong.push(`tests/fuzz/README.md: nothing of ${name}`);
}

for (const what of wrong) console.error(what);
console.log(`${pages.length} pages, ${links} links, ${promises.length} promises, ${fuzzers.length} fuzzers: ${wrong.length} wrong`);
process.exit(wrong.length ? 1 : 0);
