// Routes that the tests of instances share, and what /proc says of instances.
import { readFileSync } from "node:fs";
import { request } from "./harness.mjs";

export const kCrashes = `
export const dynamic = "force-dynamic";
const hog: unknown[] = [];
export async function GET(request: Request) {
  const how = new URL(request.url).searchParams.get("how");
  if (how === "exit") process.exit(3);
  if (how === "leave") process.exit(0);
  if (how === "stream") {
    setTimeout(() => process.exit(4), 300);
    return new Response(new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode("begun")) }));
  }
  if (how === "throw") setTimeout(() => { throw new Error("thrown later"); }, 1);
  if (how === "reject") void Promise.reject(new Error("rejected"));
  if (how === "loop") for (await new Promise((done) => setTimeout(done, Number(new URL(request.url).searchParams.get("after")))); ; );
  if (how === "oom") for (;;) hog.push(new Array(1e6).fill(Math.random()));
  if (how) await new Promise(() => {});
  return Response.json({ pid: process.pid });
}
`;
export const kKept = `
const kept = { count: 0, pid: process.pid };
export const dynamic = "force-dynamic";
export async function GET(request: Request) {
  kept.count += 1;
  await new Promise((done) => setTimeout(done, Number(new URL(request.url).searchParams.get("ms") ?? 0)));
  return Response.json(kept);
}
`;

export const json = async (url, options) => JSON.parse((await request(url, options)).text);

// Instances that live, as /proc knows them.
export function instances(sim) {
  return sim.alive().filter(({ command }) => /instance\.cjs/.test(command));
}
export const stateOf = (pid) => readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) /s, "")[0];
