// docs/fidelity.md, made of docs/fidelity.json, the profiles, the probes of src/parity/ and the pages of codes: node scripts/fidelity.mjs. With --check it writes nothing, and fails
// where the page is not what the data say, or the data name what is not there. tests/integration/fidelity.test.mjs asks that.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const read = (name) => readFileSync(join(root, name), "utf8");
// Choices of this project, which nobody's platform documents.
const kOurs = new Set(["plan", "compute", "memory.budget", "spares.bound", "instances.fork"]);
const kWords = {
  enforced: "it happens here as there",
  warned: "it is told, and let through",
  observed: "what shows it is told",
  cannot: "it is not looked at, for the reason given",
};

// key → {source, as_of} of a profile, two levels of plain YAML.
export function keysOf(text) {
  const keys = new Map();
  let group = "";
  let key = "";
  for (const line of text.split("\n")) {
    const [, indent, name, value] = /^( *)([a-z_0-9]+):(?: (.*))?$/.exec(line) ?? [];
    if (name === undefined) continue;
    if (["value", "source", "as_of", "confidence", "note"].includes(name)) {
      if (indent.length > 0 && key) keys.set(key, { ...keys.get(key), [name]: value?.replace(/^'(.*)'$/, "$1") });
    } else if (indent.length === 0) group = key = value ? "" : name;
    else if (indent.length === 2) key = `${group}.${name}`;
  }
  return new Map([...keys].filter(([, { value }]) => value !== undefined));
}

const require = createRequire(import.meta.url);
const kProbes = [...require("../src/parity/probes.cjs").kProbes, ...require("../src/parity/outputs.cjs").kOutputs];
const probesOf = ({ id }) => kProbes.filter(({ rows }) => rows.includes(id)).map(({ name }) => name);
const keys = keysOf(read("profiles/hobby.yaml"));
const codes = readdirSync(join(root, "docs/codes")).map((file) => file.replace(/\.md$/, ""));

function sourceOf(row) {
  if (row.source) return { source: row.source, as_of: row.as_of };
  if (row.keys) return keys.get(row.keys[0]);
  const page = read(`docs/codes/${row.codes[0]}.md`);
  return { as_of: /^As of ([\d-]+)/m.exec(page)?.[1], source: /^- <(.*)>$/m.exec(page)?.[1] };
}

export function problemsOf(rows) {
  const problems = [];
  const say = (row, what) => problems.push(`"${row.says}": ${what}`);
  for (const row of rows) {
    if (!/^[a-z0-9-]+$/.test(row.id ?? "") || rows.find(({ id }) => id === row.id) !== row) say(row, "has no id of its own");
    if (row.recorded && !(/^\d{4}-\d\d-\d\d$/.test(row.recorded) && probesOf(row).length > 0)) say(row, "is recorded without a date or a probe");
    if (!kWords[row.status]) say(row, `no status ${row.status}`);
    if (row.status === "cannot" && !row.why) say(row, "does not say why");
    else if (probesOf(row).length === 0 && !/\bby hand\b/.test(row.why ?? "")) say(row, "has no probe, and does not say what a person does by hand");
    if (row.status !== "cannot" && !row.test) say(row, "has no test");
    for (const key of row.keys ?? []) if (!keys.has(key)) say(row, `no profile key ${key}`);
    for (const code of row.codes ?? []) if (!codes.includes(code)) say(row, `no code ${code}`);
    if (row.test && !(existsSync(join(root, row.test[0])) && read(row.test[0]).includes(row.test[1]))) say(row, `${row.test[0]} has no test "${row.test[1]}"`);
    const { source, as_of: date } = sourceOf(row) ?? {};
    if (!/^https:\/\//.test(source ?? "") || !/^\d{4}-\d\d-\d\d$/.test(date ?? "")) say(row, "has no source with a date");
  }
  for (const { name, rows: ids } of kProbes) for (const id of ids) if (!rows.some((row) => row.id === id)) problems.push(`the probe ${name} is of no row: ${id}`);
  const named = (field) => new Set(rows.flatMap((row) => row[field] ?? []));
  // What no documentation gives is none, and strikes nobody.
  for (const [key, { value }] of keys) if (!kOurs.has(key) && value !== "none" && !named("keys").has(key)) problems.push(`no row for the profile key ${key}`);
  // What vercel-sim says of itself is nothing that the platform does.
  const own = ["SIM_NOT_READY", "SIM_HOST_NOT_ALLOWED", "SIM_ORIGIN_NOT_ALLOWED", "SIM_OUT_OF_DESCRIPTORS", "SIM_HANDLER_NOT_SEEN"];
  for (const code of codes) if (code.startsWith("SIM_") && !own.includes(code) && !named("codes").has(code)) problems.push(`no row for the code ${code}`);
  return problems;
}

const kProof = `## Prove it, or refute it

With an account at Vercel, in ten minutes, five of which are the wait for the default duration of Fluid compute:

1. Deploy [parity/](../parity/): \`cd parity && npx vercel deploy --prod\`. It needs no variables and keeps nothing. Delete it when you are done: whoever knows its address can end its instances.
2. \`vercel-sim parity record https://YOURS.vercel.app --out hobby.json\`: the probes, one after another, those that wait for a limit beside them. Where Deployment Protection is on,
   \`VERCEL_AUTOMATION_BYPASS_SECRET\` lets them in; it is sent to that address and written nowhere.
3. \`cd parity && npm install && vercel-sim run --profile hobby-fluid\`, the plan and compute of the deployment, on the Node.js version that it has.
4. \`vercel-sim parity compare hobby.json\`: row by row *same*, *differs* (what: the deployment, then here) or *not probed* (why). Exit code 1 where something differs; \`--json\` for tools. Two captures are compared as well:
   two plans, or the same one a year later.

What no request shows is read from what the Vercel CLI prints, in a file that is named for it: a build that fails, a deployment that is refused, a call of a cron. [parity/README.md](../parity/README.md) has a command for each, a
minute a piece; \`vercel-sim parity record case.log\` makes a capture of it, and \`parity compare THERE/case.log HERE/case.log\` compares two of them.

A capture is JSON: date, host, region, and of each probe its rows, requests and answer. Of variables and of headers it has names; it has values only of those that say how the platform is set up (\`TZ\`, \`cache-control\`). Read
it before you send it. Numbers are the same within 3 s or 5 % (durations) and 10 % (sizes): what a network and a busy machine add. How long a function may run is read where its stream breaks off, so that neither its start nor
the way to it counts. Known to differ today are the rows that are not *enforced*: \`next dev\` is no CDN, makes nothing at build and sets \`NODE_ENV\`; \`--set disk.reads=enforce --set static.frozen=on --env strict\` come nearer.`.split("\n");

export function render(rows) {
  const out = [
    "<!-- Made by node scripts/fidelity.mjs of docs/fidelity.json, profiles/hobby.yaml, src/parity/ and docs/codes/. -->",
    "# What of the platform is here",
    "",
    "Each behaviour that Vercel documents or that was seen in production, and what a run does about it.",
    "",
    ...Object.entries(kWords).map(([word, text]) => `- **${word}**: ${text}.`),
    "",
    "Numbers and words are of the sources named, at their dates. *Recorded*: the date of the newest capture of a real deployment that this table was held against (`recorded` in",
    "docs/fidelity.json), and the probes that look at it. It says never where nobody has done so, which is everywhere until somebody with an account sends a capture.",
    "",
    ...kProof,
  ];
  const cell = (text) => text.replaceAll("|", "\\|");
  for (const group of new Set(rows.map((row) => row.group))) {
    out.push("", `## ${group}`, "", "| On Vercel | Here | Key, code | Test | Source | Recorded |", "|---|---|---|---|---|---|");
    for (const row of rows.filter((one) => one.group === group)) {
      const { source, as_of: date } = sourceOf(row);
      const names = [...(row.keys ?? []).map((key) => `\`${key}\``), ...(row.codes ?? []).map((code) => `[${code}](codes/${code}.md)`)];
      const test = row.test ? `[${row.test[0].replace(/^tests\//, "")}](../${row.test[0]})` : "";
      out.push(`| ${cell(row.says)} | **${row.status}**${row.why ? `: ${cell(row.why)}` : ""} | ${names.join(", ")} | ${test} | [${date}](${source}) | ${[row.recorded ?? "never", ...probesOf(row).map((name) => `\`${name}\``)].join(", ")} |`);
    }
  }
  return `${out.join("\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rows = JSON.parse(read("docs/fidelity.json"));
  const problems = problemsOf(rows);
  const text = render(rows);
  if (!process.argv.includes("--check")) writeFileSync(join(root, "docs/fidelity.md"), text);
  else if (!existsSync(join(root, "docs/fidelity.md")) || read("docs/fidelity.md") !== text) problems.push("docs/fidelity.md is not what the data say: node scripts/fidelity.mjs");
  for (const problem of problems) console.error(problem);
  process.exit(problems.length > 0 ? 1 : 0);
}
