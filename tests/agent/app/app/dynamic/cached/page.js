export const revalidate = 60;

// A fetch that is cached does not make a page dynamic.
export default async function Cached() {
  const response = await fetch(`${process.env.EXTERNAL_ORIGIN}/x`, { cache: 'force-cache' });
  return <p>{await response.text()}</p>;
}
