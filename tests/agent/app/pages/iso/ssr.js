let count = 0;

export async function getServerSideProps({ query, resolvedUrl }) {
  count += 1;
  return { props: { count, word: query.word ?? 'none', resolvedUrl } };
}

export default function Ssr({ count, word, resolvedUrl }) {
  return <p>{`ssr ${count} ${word} ${resolvedUrl}`}</p>;
}
