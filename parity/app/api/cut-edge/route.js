import { tooLong } from "../../../lib/later";
export const runtime = "edge";
export const GET = (request) => tooLong(request, 60_000);
