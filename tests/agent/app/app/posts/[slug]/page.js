export function generateStaticParams() {
  return [{ slug: 'first' }];
}

export default async function Post({ params }) {
  const { slug } = await params;
  return <p>{`post ${slug}`}</p>;
}
