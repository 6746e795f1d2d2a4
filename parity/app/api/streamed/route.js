export const dynamic = "force-dynamic";
export function GET() {
  let left = 60;
  return new Response(
    new ReadableStream({
      pull(stream) {
        if (left-- === 0) stream.close();
        else stream.enqueue(new Uint8Array(100_000).fill(65));
      },
    }),
    { headers: { "content-type": "text/plain" } },
  );
}
