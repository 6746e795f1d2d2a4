export default async function Asked({ searchParams }) {
  const { q } = await searchParams;
  return <p>{q ?? 'nothing'}</p>;
}
