export const config = { api: { responseLimit: false } };
export default function handler(request, response) {
  response.setHeader("content-type", "text/plain");
  response.send("x".repeat(Math.min(Number(request.query.bytes) || 0, 10_000_000)));
}
