export const metadata = { title: 'A lesson of vercel-sim' };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
