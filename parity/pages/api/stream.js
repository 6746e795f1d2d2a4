import { later } from "../../lib/later";
export default async function handler(request, response) {
  response.setHeader("content-type", "text/plain");
  response.write("first\n");
  await later(2000);
  response.end("last\n");
}
