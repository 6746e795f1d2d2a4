export const dynamic = "force-dynamic";
export function GET(request) {
  const { headers } = request;
  return Response.json({
    names: [...headers.keys()].filter((name) => /^x-|^forwarded$/.test(name)).sort(),
    forgedIsKept: (headers.get("x-forwarded-for") ?? "").includes("192.0.2.7"),
    proto: headers.get("x-forwarded-proto"),
    isForwardedHostHost: headers.get("x-forwarded-host") === headers.get("host"),
  });
}
