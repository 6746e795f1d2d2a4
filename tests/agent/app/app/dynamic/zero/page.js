export const revalidate = 0;

export default function Zero() {
  return <p>zero</p>;
}
