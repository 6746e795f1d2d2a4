// As a webhook of a CMS does.
export default async function handler(req, res) {
  await res.revalidate('/made');
  res.json({ revalidated: true });
}
