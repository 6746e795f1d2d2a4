export const later = (ms) => new Promise((done) => setTimeout(done, ms));

// Longer than it may take. `?for=0` answers at once, so that the route is compiled before it is asked; `?how=stream` begins at once, and goes on.
export async function tooLong(request, ms) {
  const asked = new URL(request.url).searchParams;
  const isShort = asked.get("for") === "0";
  if (asked.get("how") !== "stream") {
    await later(isShort ? 0 : ms);
    return Response.json({ isCut: false });
  }
  const text = new TextEncoder();
  const end = Date.now() + ms;
  const stream = new ReadableStream({
    async pull(controller) {
      controller.enqueue(text.encode("line\n"));
      await later(500);
      if (Date.now() > end) controller.close();
    },
  });
  return new Response(stream, { headers: { "content-type": "text/plain" } });
}
