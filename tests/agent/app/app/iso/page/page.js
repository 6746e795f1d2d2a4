import Counter from '../client/counter';

export const dynamic = 'force-dynamic';
let count = 0;

export default async function Page({ searchParams }) {
  count += 1;
  const { word } = await searchParams;
  return (
    <main>
      <p>{`rendered ${count} word ${word ?? 'none'}`}</p>
      <Counter start={count} />
    </main>
  );
}
