// Precision and recall of `vercel-sim check` on a labelled corpus.
//   node tests/check/corpus.mjs --bin build/vercel-sim [--quiet] [--held-out] [--only NAME] [--least 0.95]
// A case of tests/check/corpus is one project: `// file: PATH` begins a file, `//! RULE` at the end of a line says that
// this rule must speak there and nothing else may. See tests/check/corpus/README.md.
// Ends with 1 when precision or recall is below --least, over all cases or over the held-out ones alone.
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const kCorpus = path.join(path.dirname(fileURLToPath(import.meta.url)), "corpus");
const kPackage = JSON.stringify({ dependencies: { next: "16.4.6" } });
const kPart = ["tuned", "held-out"];
const kAtOnce = 2;

const { values: options } = parseArgs({
  options: {
    bin: { type: "string", default: "build/vercel-sim" },
    least: { type: "string", default: "0.95" },
    only: { type: "string" },
    "held-out": { type: "boolean", default: false },
    quiet: { type: "boolean", default: false },
  },
});

// One case: files as they are written to disk, and what must be found: "file:line rule".
function readCase(text) {
  const files = new Map();
  const expected = [];
  let profile = "hobby", file;
  for (const line of text.split("\n")) {
    if (line.startsWith("// profile: ")) profile = line.slice(12).trim();
    else if (line.startsWith("// file: ")) files.set((file = line.slice(9).trim()), []);
    else if (file === undefined) {
      if (line.trim() !== "") throw new Error(`before the first file: ${line}`);
    } else {
      const at = line.indexOf(" //! ");
      const lines = files.get(file);
      lines.push(at < 0 ? line : line.slice(0, at));
      if (at >= 0) for (const rule of line.slice(at + 5).trim().split(" ")) expected.push(`${file}:${lines.length} ${rule}`);
    }
  }
  if (!files.has("package.json")) files.set("package.json", [kPackage]);
  return { files, expected, profile };
}

function loadCases() {
  const cases = [];
  for (const part of kPart)
    for (const name of fs.readdirSync(path.join(kCorpus, part)).sort()) {
      if (!name.endsWith(".txt") || (options.only && !name.includes(options.only))) continue;
      cases.push({ part, name: name.slice(0, -4), ...readCase(fs.readFileSync(path.join(kCorpus, part, name), "utf8")) });
    }
  return cases;
}

function check(one, root) {
  const directory = path.join(root, one.part, one.name);
  for (const [file, lines] of one.files) {
    const to = path.join(directory, file);
    fs.mkdirSync(path.dirname(to), { recursive: true });
    fs.writeFileSync(to, lines.join("\n"));
  }
  const args = ["check", directory, "--format", "json", "--profile", one.profile];
  return new Promise((resolve, reject) => {
    execFile(path.resolve(options.bin), args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error && error.code !== 2) return reject(new Error(`${one.name}: ${error.message}\n${stderr}`));
      one.found = JSON.parse(stdout).findings.map((f) => `${f.file}:${f.line} ${f.rule}`);
      resolve();
    });
  });
}

// hits, false alarms and misses of each rule. A finding on another line than the label's is both.
function count(cases) {
  const rules = new Map();
  const of = (rule) => rules.get(rule) ?? rules.set(rule, { hit: 0, false: 0, miss: 0 }).get(rule);
  for (const one of cases) {
    const open = [...one.expected];
    for (const f of one.found) {
      const i = open.indexOf(f);
      if (i >= 0) open.splice(i, 1);
      ++of(f.split(" ")[1])[i >= 0 ? "hit" : "false"];
    }
    for (const e of open) ++of(e.split(" ")[1]).miss;
  }
  return rules;
}

const precision = (n) => (n.hit + n.false === 0 ? 1 : n.hit / (n.hit + n.false));
const recall = (n) => (n.hit + n.miss === 0 ? 1 : n.hit / (n.hit + n.miss));

function sum(rules) {
  const all = { hit: 0, false: 0, miss: 0 };
  for (const n of rules.values()) for (const k of Object.keys(all)) all[k] += n[k];
  return all;
}

function row(name, n) {
  const cells = [n.hit, n.false, n.miss].map((x) => String(x).padStart(5));
  return `${name.padEnd(48)}${cells.join(" ")}   ${precision(n).toFixed(3)}   ${recall(n).toFixed(3)}`;
}

function differences(one) {
  const open = [...one.expected];
  const lines = [];
  for (const f of one.found) {
    const i = open.indexOf(f);
    if (i >= 0) open.splice(i, 1);
    else lines.push(`  + ${one.part}/${one.name}: ${f}`);
  }
  return [...lines, ...open.map((e) => `  - ${one.part}/${one.name}: ${e}`)];
}

const root = fs.mkdtempSync(path.join(os.tmpdir(), "vsim-corpus-"));
const cases = loadCases();
try {
  const queue = [...cases];
  const work = async () => {
    for (let one = queue.shift(); one; one = queue.shift()) await check(one, root);
  };
  await Promise.all(Array.from({ length: kAtOnce }, work));
} finally {
  fs.rmSync(root, { recursive: true, force: true });
}

const innocent = cases.filter((c) => c.expected.length === 0).length;
console.log(`${cases.length} cases, ${innocent} of them innocent, ${cases.filter((c) => c.part === "held-out").length} held out\n`);
console.log(`${"".padEnd(48)}  hit false  miss   precision recall`);
const figures = new Map();
for (const part of [...kPart, "all"]) {
  const rules = count(cases.filter((c) => part === "all" || c.part === part));
  if (part === "all") for (const [rule, n] of [...rules].sort()) console.log(row(`  ${rule}`, n));
  figures.set(part, sum(rules));
  console.log(row(part, figures.get(part)));
}
const wrong = options.quiet ? [] : cases.filter((c) => c.part !== "held-out" || options["held-out"]).flatMap(differences);
if (wrong.length > 0) console.log(`\n+ said and not expected, - expected and not said:\n${wrong.join("\n")}`);

const least = Number(options.least);
for (const part of ["held-out", "all"]) {
  const n = figures.get(part);
  if (precision(n) >= least && recall(n) >= least) continue;
  console.log(`\n${part}: below ${least}`);
  process.exitCode = 1;
}
