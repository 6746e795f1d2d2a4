import { tooLong } from "../../../lib/later";
export const dynamic = "force-dynamic";
export const GET = (request) => tooLong(request, 340_000);
