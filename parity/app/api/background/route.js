import { after } from "next/server";
import { instance, seen } from "../../../lib/instance";
import { later } from "../../../lib/later";
export const dynamic = "force-dynamic";
// Each piece of work notes when it was done, in ms after it was begun. `left`: of a stream that says first which instance it is of.
export function GET(request) {
  const asked = new URL(request.url).searchParams;
  const [how, id] = [asked.get("how"), asked.get("id")];
  const begun = Date.now();
  const work = () => later(1000).then(() => seen.notes.set(id, Date.now() - begun));
  if (how === "after") after(work);
  if (how === "nobody") work();
  if (how === "left") {
    const stream = new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode(`${instance}\n`));
        await work();
        controller.close();
      },
      cancel() {},
    });
    return new Response(stream, { headers: { "content-type": "text/plain" } });
  }
  return Response.json({ instance, after: seen.notes.get(id) ?? null });
}
