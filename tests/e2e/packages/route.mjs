// A route handler that runs for each request, with Cache Components and without.
export const route = (imports, body) => `
import { connection } from "next/server";
${imports}
export async function GET(request) {
  await connection();
  ${body}
}
`;
