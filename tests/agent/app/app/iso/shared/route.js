import { revalidatePath, revalidateTag } from 'next/cache';

export const dynamic = 'force-dynamic';

// ?tag: throws away what was fetched; else what the data cache has.
export async function GET(request) {
  const { searchParams } = new URL(request.url);
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
