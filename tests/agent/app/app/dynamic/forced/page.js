export const dynamic = 'force-dynamic';

export default function Forced() {
  return <p>forced</p>;
}
