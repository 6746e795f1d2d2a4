export async function getStaticProps() {
  return { props: {} };
}

export default function Made() {
  return <p>made</p>;
}
