export default async function Still() {
  await new Promise((done) => setTimeout(done, 400));
  return <p>still</p>;
}
