export const dynamic = 'force-dynamic';

export function GET() {
  return new Response(new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('first')) }));
}
