export default function Page() {
  return <h1>A lesson of vercel-sim</h1>;
}
