export async function getStaticPaths() {
  return { paths: [{ params: { id: 'known' } }], fallback: false };
}

export async function getStaticProps({ params }) {
  return { props: { id: params.id } };
}

export default function Page({ id }) {
  return <p>{`page of ${id}`}</p>;
}
