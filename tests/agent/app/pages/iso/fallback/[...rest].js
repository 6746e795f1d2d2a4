export async function getServerSideProps({ params }) {
  return { props: { rest: params.rest.join('/') } };
}

export default function Rest({ rest }) {
  return <p>{`rest of ${rest}`}</p>;
}
