import { headers } from 'next/headers';

let runs = 0;

export default async function Once() {
  if (runs++ === 0) await headers();
  return <p>once</p>;
}
