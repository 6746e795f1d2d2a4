export const dynamic = 'force-dynamic';

// Evaluating this module takes its time, once in each instance.
const end = performance.now() + 2000;
while (performance.now() < end);
globalThis.isoEvaluated = (globalThis.isoEvaluated ?? 0) + 1;
let calls = 0;

export async function GET() {
  calls += 1;
  return Response.json({ calls, evaluated: globalThis.isoEvaluated });
}
