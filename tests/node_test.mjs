// Runs files of node:test, with a short report: a line for each test, and all that failed once more at the end, where a person looks first. Files
// that failed have one second attempt, alone, where `secondAttempts` allows so many: these tests drive real processes on whatever machine CI has.
// What passed only then is named at the end with its first failure. A file is its path, or `{ file, env }` where one is run in several ways.
import { spawn } from "node:child_process";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const reporter = fileURLToPath(new URL("reporter.mjs", import.meta.url));

const nameOf = ({ file, env = {} }) => [basename(file), ...Object.values(env)].join(" ");

// Its failures as text, or null when all of its tests passed. What it prints comes at once, or, with `held`, when it has ended.
async function attempt(given, { env, held }) {
  const { file } = given;
  const args = ["--test", "--test-force-exit", `--test-reporter=${reporter}`, "--test-reporter-destination=stdout", file];
  const from = performance.now();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env, ...given.env } });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
    if (!held) process.stdout.write(chunk);
  });
  const end = await new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, signal) => done(signal ?? code));
  });
  console.log(`${held ? text : ""}${nameOf(given)}: ${end === 0 ? "passed" : "FAILED"} in ${Math.round((performance.now() - from) / 1000)} s`);
  if (end === 0) return null;
  return text.match(/^FAIL .*\n(?:(?: {4}.*)?\n)*/gm)?.join("") ?? `${nameOf(given)}: ended with ${end} and named no test\n`;
}

// True when all passed. `concurrency`: files at a time.
export async function runFiles(files, { env = {}, secondAttempts = 0, concurrency = 1 } = {}) {
  let failed = [];
  const left = files.map((file) => (typeof file === "string" ? { file } : file));
  const worker = async () => {
    while (left.length) {
      const given = left.shift();
      const said = await attempt(given, { env, held: concurrency > 1 });
      if (said !== null) failed.push({ given, said });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (failed.length <= secondAttempts) {
    const first = failed;
    failed = [];
    for (const { given, said } of first) {
      console.log(`\n${nameOf(given)}: a second attempt`);
      const again = await attempt(given, { env, held: false });
      if (again !== null) failed.push({ given, said: again });
      else console.log(`\nflaky, passed on the second attempt: ${nameOf(given)}\n${said}`);
    }
  }
  for (const { given, said } of failed) console.log(`\nfailed: ${nameOf(given)}\n${said}`);
  return failed.length === 0;
}
