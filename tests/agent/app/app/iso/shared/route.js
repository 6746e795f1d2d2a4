import { revalidatePath, revalidateTag, unstable_cache } from 'next/cache';

export const dynamic = 'force-dynamic';

const drawn = unstable_cache(async () => Math.random(), ['drawn']);

// ?tag: throws away what was fetched; ?drawn: what unstable_cache has, twice; else what the data cache has.
export async function GET(request) {
  const { searchParams } = new URL(request.url);
  if (searchParams.has('drawn')) return Response.json([await drawn(), await drawn()]);
  if (searchParams.has('tag')) {
    revalidateTag('words', { expire: 0 });
    return new Response('revalidated');
  }
  if (searchParams.has('path')) {
    revalidatePath('/iso/shared');
    return new Response('revalidated');
  }
  const response = await fetch(`${process.env.EXTERNAL_ORIGIN}/word`, { cache: 'force-cache', next: { tags: ['words'] } });
  return new Response(await response.text());
}
