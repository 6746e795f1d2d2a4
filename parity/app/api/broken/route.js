import { later } from "../../../lib/later";
export const dynamic = "force-dynamic";
// A stream that fails after its first bytes.
export function GET() {
  let isBegun = false;
  const stream = new ReadableStream({
    async pull(controller) {
      if (isBegun) {
        await later(500);
        throw new Error("parity: this stream fails");
      }
      isBegun = true;
      controller.enqueue(new TextEncoder().encode("first\n"));
    },
  });
  return new Response(stream, { headers: { "content-type": "text/plain" } });
}
