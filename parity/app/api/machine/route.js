import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { getHeapStatistics } from "node:v8";
export const dynamic = "force-dynamic";

// Of the platform's names only; values of none that could be a secret.
const kNames = /^(VERCEL|AWS|LAMBDA|NOW|NEXT|NODE|LC|FONTCONFIG)_|^(VERCEL|CI|TZ|LANG|PORT)$/;

function descriptors() {
  const before = readdirSync("/proc/self/fd").length - 1; // without the one that lists
  const all = [];
  try {
    while (all.length < 20_000) all.push(openSync("/dev/null"));
    return { refused: null };
  } catch (error) {
    return { refused: error.code, most: before + all.length };
  } finally {
    for (const fd of all) closeSync(fd);
  }
}

export function GET(request) {
  const what = new URL(request.url).searchParams.get("what");
  const { TZ, LANG, LC_ALL, NODE_ENV } = process.env;
  if (what === "processor") return Response.json({ cpus: cpus().length, availableParallelism: availableParallelism() });
  if (what === "memory") return Response.json({ said: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE, heap: { megabytes: Math.round(getHeapStatistics().heap_size_limit / 1e6) } });
  if (what === "descriptors") return Response.json(descriptors());
  if (what === "programs")
    return Response.json(Object.fromEntries(["git", "python3", "ffmpeg", "chromium", "curl"].map((name) => [name, spawnSync(/* turbopackIgnore: true */ name, ["--version"], { timeout: 5000 }).error?.code ?? "there"])));
  return Response.json({
    names: Object.keys(process.env).filter((name) => kNames.test(name)).sort(),
    TZ, LANG, LC_ALL, NODE_ENV,
    minutesFromUtc: new Date().getTimezoneOffset(),
    number: (1234.5).toLocaleString(),
    node: Number.parseInt(process.versions.node, 10),
    isInVarTask: process.cwd().startsWith("/var/task"),
  });
}
