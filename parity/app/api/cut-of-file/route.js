import { tooLong } from "../../../lib/later";
export const dynamic = "force-dynamic";
export const maxDuration = 5;
export const GET = (request) => tooLong(request, 60_000);
