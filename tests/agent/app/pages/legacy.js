export async function getServerSideProps({ req }) {
  return { props: { seen: Object.keys(req.headers).filter((name) => name.startsWith('x-vsim')).length } };
}

export default function Legacy({ seen }) {
  return <p>{`legacy ${seen}`}</p>;
}
