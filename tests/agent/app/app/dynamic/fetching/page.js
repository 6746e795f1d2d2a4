export default async function Fetching() {
  const response = await fetch(`${process.env.EXTERNAL_ORIGIN}/x`, { cache: 'no-store' });
  return <p>{await response.text()}</p>;
}
