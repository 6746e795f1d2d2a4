export default async function User({ params }) {
  const { id } = await params;
  return <p>{`user ${id}`}</p>;
}
