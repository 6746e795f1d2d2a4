export const dynamic = 'force-dynamic';

export async function GET() {
  const encoder = new TextEncoder();
  const stream = new ReadableStream({
    async start(controller) {
      for (const word of ['one', 'two', 'three']) {
        controller.enqueue(encoder.encode(`${word};`));
        await new Promise((done) => setTimeout(done, 400));
      }
      controller.close();
    },
  });
  return new Response(stream, { headers: { 'set-cookie': 'a=1' } });
}
