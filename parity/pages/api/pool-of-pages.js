import { opened } from "../../lib/pool";
export default async function handler(_, response) {
  response.json(await opened());
}
