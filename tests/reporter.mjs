// A reporter for node:test: a line for each test; of one that failed also its error and its diagnostics, each line of them behind four spaces.
import { relative } from "node:path";
import { inspect } from "node:util";

const kMost = 12_000; // characters of one error
const seconds = (ms) => `${(ms / 1000).toFixed(1).padStart(6)} s`;
const indented = (text) => text.replace(/^(?=.)/gm, "    ");

export default async function* report(source) {
  let failing = false; // the last test: its diagnostics follow
  for await (const { type, data } of source) {
    if (type === "test:diagnostic" && failing && data.nesting > 0) yield indented(`${data.message}\n`);
    if (type === "test:stderr" || type === "test:stdout") yield data.message;
    if (type !== "test:pass" && type !== "test:fail") continue;
    const isSuite = data.details.type === "suite";
    if (isSuite && (type === "test:pass" || data.details.error?.failureType === "subtestsFailed")) continue;
    failing = type === "test:fail";
    const time = seconds(data.details.duration_ms);
    if (!failing) {
      const how = data.skip !== undefined ? "skip" : data.todo !== undefined ? "todo" : "ok";
      yield `${how.padEnd(5)}${time}  ${data.name}${typeof data.skip === "string" ? ` (${data.skip})` : ""}\n`;
      continue;
    }
    const error = data.details.error?.cause ?? data.details.error;
    const place = data.file ? ` (${relative(process.cwd(), data.file)}:${data.line ?? 1})` : "";
    const said = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
    yield `FAIL ${time}  ${data.name}${place}\n${indented(said.slice(0, kMost))}\n`;
  }
}
