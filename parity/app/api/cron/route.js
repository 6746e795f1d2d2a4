export const dynamic = "force-dynamic";
// Who called, in a line of the log: no answer goes to anybody who reads it. `vercel-sim parity record crons.log` finds it there.
export function GET(request) {
  const of = (name) => request.headers.get(name)?.replace(/\s+/g, "_") || "none";
  const authorization = of("authorization").replace(/^(Bearer)_.*/, "$1").replace(/^(?!Bearer$|none$).*/, "other");
  console.log(`parity-cron method=${request.method} agent=${of("user-agent")} schedule=${of("x-vercel-cron-schedule")} authorization=${authorization}`);
  return Response.json({ called: true });
}
