// Evaluating this module takes long; rendering the page does not.
const until = Date.now() + 3000;
while (Date.now() < until);

export const dynamic = 'force-dynamic';

export default function Heavy() {
  return <p>heavy</p>;
}
