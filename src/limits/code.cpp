#include "limits/code.hpp"

#include <array>
#include <cstddef>

#include "base/text.hpp"

namespace vsim::limits {
namespace {

constexpr std::size_t kCount = static_cast<std::size_t>(Code::kCount);

// Names and statuses: docs/platform.md section 2, from https://vercel.com/docs/errors. Words are
// ours.
constexpr std::array<CodeInfo, kCount> kTable{{
    // clang-format off
    {Code::none, "NONE", 0, "Nothing went wrong", "", "", ""},
    {Code::bad_request, "BAD_REQUEST", 400,
     "The request is not valid HTTP",
     "Vercel's network speaks strict HTTP and answers a request it cannot read without asking your "
     "code.",
     "Look at what the client sends: a raw socket, an old proxy or a hand-written request builder is "
     "the usual cause. Browsers, fetch and curl never send this.",
     "https://www.rfc-editor.org/rfc/rfc9112"},
    {Code::malformed_request_header, "MALFORMED_REQUEST_HEADER", 400,
     "A request header is not valid UTF-8",
     "Vercel hands headers to functions as UTF-8 text, so a header with other bytes is refused before "
     "your code.",
     "Usually a cookie with raw bytes. Encode its value with encodeURIComponent or base64 where it is "
     "set, and clear the old cookie in the browser.",
     "https://vercel.com/docs/errors/MALFORMED_REQUEST_HEADER"},
    {Code::url_too_long, "URL_TOO_LONG", 414,
     "The URL is longer than Vercel accepts",
     "Vercel's CDN accepts URLs of at most 14 KB.",
     "Send the data in a POST body instead of the query string, or store it and pass an id. Filters "
     "and editor state that grow in the URL are the usual cause.",
     "https://vercel.com/docs/errors/URL_TOO_LONG"},
    {Code::request_header_too_large, "REQUEST_HEADER_TOO_LARGE", 431,
     "The request headers are too large",
     "Vercel accepts at most 16 KB in one header and 32 KB in all names and values together.",
     "Keep a session id in the cookie and the session in a database. Large JWTs, chunked auth cookies "
     "and analytics cookies are the usual cause.",
     "https://vercel.com/docs/errors/REQUEST_HEADER_TOO_LARGE"},
    {Code::invalid_request_method, "INVALID_REQUEST_METHOD", 405,
     "The request method is not accepted",
     "Vercel's CDN passes the usual methods only; CONNECT and TRACE never reach a deployment.",
     "Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.",
     "https://vercel.com/docs/errors/INVALID_REQUEST_METHOD"},
    {Code::function_payload_too_large, "FUNCTION_PAYLOAD_TOO_LARGE", 413,
     "The request body is larger than a function accepts",
     "A request body travels to the function inside one invocation payload of 4.5 MB; Vercel refuses a "
     "larger one before any of your code runs, whatever bodySizeLimit or bodyParser say.",
     "Upload from the browser straight to storage: Vercel Blob client uploads (`upload()` of "
     "@vercel/blob/client), a presigned S3 or R2 URL, or UploadThing; send only the resulting URL to "
     "your function. Or split the upload into parts below 4 MB.",
     "https://vercel.com/docs/errors/FUNCTION_PAYLOAD_TOO_LARGE"},
    {Code::function_response_payload_too_large, "FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE", 500,
     "The response body is larger than a function may return",
     "A response that is not streamed is returned in one payload of 4.5 MB. pages/ and pages/api are "
     "not streamed.",
     "Stream it: return a ReadableStream from an App Router route handler, which has no size limit. Or "
     "put the file into Vercel Blob or S3 and redirect to it, or paginate.",
     "https://vercel.com/docs/errors/FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE"},
    {Code::function_invocation_timeout, "FUNCTION_INVOCATION_TIMEOUT", 504,
     "The function ran longer than its maximum duration",
     "Every invocation has a maximum duration; sending the response, streams included, counts too. At "
     "its end Vercel stops the function: a 504 if no response head was sent yet, else the response "
     "just breaks off.",
     "Raise `maxDuration` of the route as far as the plan allows, or turn on Fluid compute (300 s on "
     "Hobby). Answer first and finish with `after()` or waitUntil (same limit), or hand long work to a "
     "queue or workflow (Vercel Queues, Inngest, Trigger.dev). For endless streams let EventSource "
     "reconnect, or use managed realtime: Ably, Pusher, Liveblocks, Supabase Realtime.",
     "https://vercel.com/docs/errors/FUNCTION_INVOCATION_TIMEOUT"},
    {Code::edge_function_invocation_timeout, "EDGE_FUNCTION_INVOCATION_TIMEOUT", 504,
     "The edge function did not begin to answer in time",
     "An edge function must send its first byte within 25 s; after that it may stream for up to 300 s.",
     "Return a streaming Response at once and write into it as data comes, or drop `runtime = 'edge'`: "
     "the Node.js runtime has a configurable maxDuration.",
     "https://vercel.com/docs/errors/EDGE_FUNCTION_INVOCATION_TIMEOUT"},
    {Code::function_invocation_failed, "FUNCTION_INVOCATION_FAILED", 500,
     "The function crashed",
     "The function's process ended in the middle of the request: an error that nobody caught, process.exit, "
     "out of memory, or modules that threw while they were loaded. If its answer had begun, it is cut off there.",
     "See what ended it: an uncaught error has its stack trace in the output. A missing environment variable or "
     "a module that fails at import are the usual cause; catch errors inside the handler and return a response.",
     "https://vercel.com/docs/errors/FUNCTION_INVOCATION_FAILED"},
    {Code::no_response_from_function, "NO_RESPONSE_FROM_FUNCTION", 502,
     "The function ended without a response",
     "The function was over without a whole response: its process ended as if all were well "
     "(`process.exit(0)`), or, with `--isolation none`, its connection was closed by an uncaught exception, an "
     "unhandled rejection or a crash, or carried bytes that are not HTTP.",
     "Make every path of the handler return a response and await its promises, so that an error "
     "becomes a 500 of your own, and leave process.exit to scripts. If next dev itself crashed, its output "
     "says why.",
     "https://vercel.com/docs/errors/NO_RESPONSE_FROM_FUNCTION"},
    {Code::middleware_invocation_timeout, "MIDDLEWARE_INVOCATION_TIMEOUT", 504,
     "Middleware (proxy.ts) took too long",
     "Middleware runs before every request that it matches, and must begin to answer within 25 s.",
     "Do no slow fetches there; narrow its matcher; move the work to the route.",
     "https://vercel.com/docs/errors/MIDDLEWARE_INVOCATION_TIMEOUT"},
    {Code::middleware_invocation_failed, "MIDDLEWARE_INVOCATION_FAILED", 500,
     "Middleware (proxy.ts) crashed",
     "The process that middleware ran in ended in the middle of a request: an error that nobody caught, "
     "process.exit, out of memory, or modules that threw while they were loaded.",
     "Catch errors there and let the request go on; check the environment variables that it reads.",
     "https://vercel.com/docs/errors/MIDDLEWARE_INVOCATION_FAILED"},
    {Code::router_external_target_connection_error, "ROUTER_EXTERNAL_TARGET_CONNECTION_ERROR", 502,
     "The server behind the proxy cannot be reached",
     "Nothing accepts connections at the address requests are passed to.",
     "Start the server, or correct the address given to --upstream.",
     "https://vercel.com/docs/errors/ROUTER_EXTERNAL_TARGET_CONNECTION_ERROR"},
    {Code::function_throttled, "FUNCTION_THROTTLED", 503,
     "Too many invocations at the same time",
     "Vercel runs a bounded number of invocations at once and adds at most 1,000 per 10 s and region.",
     "Cache responses (s-maxage, ISR), keep functions short, poll less often (SWR or React Query with "
     "a longer refreshInterval), and spread bursts with a queue.",
     "https://vercel.com/docs/errors/FUNCTION_THROTTLED"},
    {Code::infinite_loop_detected, "INFINITE_LOOP_DETECTED", 508,
     "The deployment calls itself in a loop",
     "Vercel recognises its own request ids on incoming requests and stops a deployment that fetches "
     "itself.",
     "Call the shared function directly instead of fetching your own route, and check rewrites that "
     "point back to the same host.",
     "https://vercel.com/docs/errors/INFINITE_LOOP_DETECTED"},
    {Code::sim_not_ready, "SIM_NOT_READY", 503,
     "The app is not ready",
     "This is about your machine, not about Vercel: the app behind vercel-sim is starting, restarting "
     "or stopped.",
     "Wait for the ready line, or look at the app's own output above for why it does not start.",
     "https://nextjs.org/docs/app/api-reference/cli/next"},
    {Code::sim_host_not_allowed, "SIM_HOST_NOT_ALLOWED", 403,
     "This host name is not served",
     "This is about your machine: a site whose name points at your computer (DNS rebinding) could read your app, its sources and "
     "its APIs, so vercel-sim serves localhost, *.localhost and IP addresses. Vercel answers a host it does not know with 404 "
     "DEPLOYMENT_NOT_FOUND.",
     "Name it: `--allowed-hosts app.local,.example.dev`, or `allowed-hosts:` in vercel-sim.yaml; a dot in front allows all below "
     "it too.",
     "https://vercel.com/docs/errors/DEPLOYMENT_NOT_FOUND"},
    {Code::sim_origin_not_allowed, "SIM_ORIGIN_NOT_ALLOWED", 403,
     "A page of another site asked for this",
     "This is about your machine: WebSockets and the dev server's own files (hot reload, chunks, source maps) are open to every "
     "site that your browser visits unless somebody looks at Origin, and several versions of Next only warn (CVE-2025-48068, "
     "CVE-2026-27977).",
     "If that page is yours, name its host: `--allowed-hosts app.example.dev`, or `allowed-hosts:` in vercel-sim.yaml.",
     "https://nextjs.org/docs/app/api-reference/config/next-config-js/allowedDevOrigins"},
    {Code::sim_out_of_descriptors, "SIM_OUT_OF_DESCRIPTORS", 503,
     "vercel-sim may open no more files and sockets",
     "This is about your machine: each request needs two file descriptors here, one to the client and one to the app, and the "
     "system allows this process no more. The app has not seen the request.",
     "Raise the hard limit in the shell that starts vercel-sim (`ulimit -Hn` shows it; /etc/security/limits.conf, systemd's "
     "LimitNOFILE or Docker's --ulimit nofile set it), or keep fewer connections open.",
     "https://man7.org/linux/man-pages/man2/getrlimit.2.html"},
    {Code::sim_websocket_refused, "SIM_WEBSOCKET_REFUSED", 400,
     "The WebSocket was refused",
     "Functions without Fluid compute cannot hold a WebSocket: the upgrade never reaches your code, so "
     "the browser reports that the connection failed. Works in next dev only because one long-lived "
     "process serves everybody.",
     "Use managed realtime (Ably, Pusher, Liveblocks, Supabase Realtime), Server-Sent Events for one "
     "direction, a separate socket server (Fly.io, Railway, Render), polling with SWR or React Query, "
     "or turn on Fluid compute, which carries WebSockets up to the function's maximum duration.",
     "https://vercel.com/docs/functions/websockets"},
    {Code::sim_websocket_closed_at_limit, "SIM_WEBSOCKET_CLOSED_AT_LIMIT", 0,
     "The WebSocket was closed at the function's maximum duration",
     "On Fluid compute a WebSocket belongs to one function invocation, and ends with it, however busy "
     "it is.",
     "Reconnect on close (socket.io-client does; for a raw WebSocket add it, with a random delay), and "
     "keep state in Redis or a database: the next connection may reach another instance. Or use "
     "managed realtime (Ably, Pusher, Liveblocks, Supabase Realtime) or a separate socket server.",
     "https://vercel.com/docs/functions/websockets"},
    {Code::sim_polling_false_pass, "SIM_POLLING_FALSE_PASS", 0,
     "Socket.IO long polling works here, but would not on Vercel",
     "Polling works here because one process serves everybody. On Vercel each poll may reach another "
     "instance, which does not know the session and answers 400 `{\"code\":1,\"message\":\"Session ID "
     "unknown\"}`.",
     "Do not count on the polling fallback. Use managed realtime (Ably, Pusher, Liveblocks, Supabase "
     "Realtime), a separate socket server, or Fluid compute with `transports: ['websocket']` in the "
     "client.",
     "https://vercel.com/docs/functions/websockets"},
    {Code::sim_max_duration_over_plan, "SIM_MAX_DURATION_OVER_PLAN", 0,
     "maxDuration is above what the plan allows",
     "Vercel fails the deployment of a function that asks for more than its plan gives; vercel-sim "
     "runs it with the plan's maximum instead.",
     "Lower maxDuration to the plan's maximum, turn on Fluid compute, or change the plan.",
     "https://vercel.com/docs/functions/configuring-functions/duration"},
    {Code::sim_background_work_frozen, "SIM_BACKGROUND_WORK_FROZEN", 0,
     "Work was left behind after the response, and nothing waits for it",
     "When the response and the promises given to waitUntil() or after() are done, the invocation is "
     "over: Vercel freezes or ends the instance (on Fluid compute it may, as soon as no other request "
     "runs on it), and timers, intervals and requests without an answer that the handler left wait for another "
     "invocation or never go on. Works in next dev only because its process never stops.",
     "Give the work as a promise to `after()` of next/server or `waitUntil()` of @vercel/functions: it "
     "then runs up to the function's maximum duration. Work that is longer or must happen belongs in a "
     "queue, a workflow or a cron job (Vercel Queues, Inngest, Trigger.dev, Vercel Cron). Clear timers "
     "that are needed no more.",
     "https://vercel.com/docs/functions/functions-api-reference/vercel-functions-package"},
    {Code::sim_state_not_shared, "SIM_STATE_NOT_SHARED", 0,
     "State of one instance was looked for in another",
     "Every instance has its own memory: a room, a Map, a singleton or a server made in one does not "
     "exist in the next, and no request can choose its instance. Works in next dev only because one "
     "process serves everybody.",
     "Keep state that requests share outside the functions: Redis (Upstash), a database, or managed "
     "realtime (Ably, Pusher, Liveblocks, Supabase Realtime). For Socket.IO use a separate socket "
     "server, or Fluid compute with `transports: ['websocket']` and an adapter (Redis) between "
     "instances.",
     "https://vercel.com/docs/fluid-compute"},
    {Code::sim_code_from_strings, "SIM_CODE_FROM_STRINGS", 500,
     "Code was made from a string on the edge runtime, which refuses it",
     "The edge runtime runs only code that was there when it was deployed: `eval`, `new Function` and "
     "WebAssembly compiled from bytes throw where they are called. Works in next dev only because it allows "
     "them there, with a warning.",
     "Drop `runtime = 'edge'`: on the Node.js runtime it works. Or use a build of the library that makes no code "
     "(template engines precompile, ajv has standalone code), and import WebAssembly as a module: `import wasm "
     "from './x.wasm?module'`.",
     "https://nextjs.org/docs/messages/edge-dynamic-code-evaluation"},
    {Code::sim_response_broken_off, "SIM_RESPONSE_BROKEN_OFF", 0,
     "The response broke off before its end",
     "The head and a part of the body had been sent when the function destroyed its response or the stream "
     "behind it failed: no status can say so any more, and the client gets a transfer that is not whole. "
     "Vercel passes it on like that too.",
     "Catch the error where the stream is written (of a model, a database, another server), tell the client in "
     "the stream itself (an `event: error` of SSE, a last JSON line), and close it.",
     "https://vercel.com/docs/functions/streaming-functions"},
    {Code::sim_no_socket_server, "SIM_NO_SOCKET_SERVER", 0,
     "A socket client met no socket server",
     "On Vercel a request reaches a function only by that function's own path, and there is no server of yours "
     "around it: a custom server is not deployed, and a path that was given to Socket.IO or ws belongs to no "
     "function. Works in next dev only because one server process sees every request first.",
     "On Fluid compute take the upgrade in a route handler at the very path the client asks for "
     "(`experimental_upgradeWebSocket()` of @vercel/functions), with `transports: ['websocket']` and "
     "`addTrailingSlash: false` in a Socket.IO client. Without it use managed realtime (Ably, Pusher, "
     "Liveblocks, Supabase Realtime) or a separate socket server.",
     "https://vercel.com/docs/functions/websockets"},
    {Code::sim_connections_refused, "SIM_CONNECTIONS_REFUSED", 0,
     "A database took no more connections, while several instances held some",
     "Every instance has a pool of its own: N instances hold N times as many connections as the one process of "
     "next dev, and those of a suspended instance stay open. The database refuses what is over its limit "
     "(Postgres 53300, MySQL 1040, Redis \"max number of clients reached\").",
     "Connect through a pooler (PgBouncer, Supavisor, Neon's or Prisma's pooled address). Make one pool in a "
     "module, with `max: 1` where an instance serves one request at a time, and on Fluid compute give it to "
     "`attachDatabasePool()` of @vercel/functions, which closes idle connections before the instance is "
     "suspended.",
     "https://vercel.com/blog/the-real-serverless-compute-to-database-connection-problem-solved"},
    {Code::sim_localhost_self_fetch, "SIM_LOCALHOST_SELF_FETCH", 0,
     "A function asked its own server by a loopback name",
     "On Vercel a function runs alone: nothing listens on its localhost, so the request ends with `connect "
     "ECONNREFUSED 127.0.0.1:3000`, while the build renders and at run time alike. Works in next dev only because "
     "the dev server listens on that port of the same machine.",
     "Call what the route calls (import the function), which saves a request and an invocation. Where it must be a "
     "request, make the address of what the deployment is called: `https://${process.env.VERCEL_URL}` or "
     "`VERCEL_PROJECT_PRODUCTION_URL`, or of the request's own host.",
     "https://github.com/vercel/next.js/issues/44062"},
    {Code::sim_loopback_server, "SIM_LOOPBACK_SERVER", 0,
     "A function connected to another server of this machine",
     "A database, a model or a second API that runs on the laptop is not there on Vercel: a connection of a function "
     "to a loopback address ends with `connect ECONNREFUSED 127.0.0.1:PORT`.",
     "Take the address from a variable of the environment, without a loopback address as what it is otherwise, and "
     "set it in the project's settings to a server that can be reached from there.",
     "https://github.com/vercel/next.js/issues/59153"},
    {Code::sim_ipv6_only, "SIM_IPV6_ONLY", 0,
     "A function connected to an address that has IPv6 only",
     "Functions on Vercel reach IPv4 addresses only. A host without one, as the direct connection of a Supabase "
     "database, ends with `connect ENETUNREACH`; Prisma says P1001 \"Can't reach database server\".",
     "Use the provider's address for IPv4: at Supabase that of the pooler (`aws-0-REGION.pooler.supabase.com`, port "
     "6543), or its IPv4 add-on.",
     "https://supabase.com/docs/guides/troubleshooting/supabase--your-network-ipv4-and-ipv6-compatibility-cHe3BP"},
    {Code::sim_smtp_port, "SIM_SMTP_PORT", 0,
     "A function connected to port 25",
     "Port 25 is closed outwards on Vercel: the connection never comes, and the function waits until its own limit.",
     "Send mail by the provider's HTTP API (Resend, Postmark, SES), or by SMTP on port 465 or 587 with a password.",
     "https://github.com/vercel/docs/issues/192"},
    {Code::sim_read_only_filesystem, "SIM_READ_ONLY_FILESYSTEM", 0,
     "A function wrote outside /tmp",
     "A deployed function's files lie in /var/task, which is read-only; only /tmp can be written, 500 MB of one "
     "instance, gone with it. Works in next dev only because the project is an ordinary folder there.",
     "Files that must last belong in an object store (Vercel Blob, S3, R2) or a database. What is needed within one "
     "request alone goes to `os.tmpdir()`.",
     "https://vercel.com/docs/functions/runtimes"},
    {Code::sim_made_at_build, "SIM_MADE_AT_BUILD", 0,
     "A page that is made at build has changed between two requests",
     "What asks nothing of the request (no cookies, headers, search parameters, no uncached fetch) is rendered by "
     "`next build` and served to everyone until the next deployment or a revalidation. Works in next dev only "
     "because it renders the page at each request: what it reads from a database or a clock stays as it was at build.",
     "`await connection()` or `export const dynamic = 'force-dynamic'` if it must be of each request; else "
     "`revalidatePath()` or `revalidateTag()` where the data is written, or `export const revalidate = SECONDS`.",
     "https://github.com/vercel/next.js/issues/86379"},
    {Code::sim_file_not_traced, "SIM_FILE_NOT_TRACED", 0,
     "A function read a file that would not be deployed with it",
     "A deployed function has its own code and the files that Next's tracing finds in it (`@vercel/nft`), no other "
     "file of the project: reading one ends with `ENOENT: no such file or directory, open '/var/task/...'`. Works in "
     "next dev only because it runs in the project's folder.",
     "Name the file in `outputFileTracingIncludes` of next.config, or write its path where it is read as "
     "`path.join(process.cwd(), 'folder', name)`, or import it.",
     "https://vercel.com/kb/guide/how-can-i-use-files-in-serverless-functions"},
    {Code::sim_tmp_full, "SIM_TMP_FULL", 0,
     "An instance has filled its /tmp",
     "/tmp of an instance has 500 MB, for all that it serves until it ends: more is `ENOSPC: no space left on "
     "device`. Works in next dev only because /tmp is this machine's own there.",
     "Remove each temporary file when the request is done with it, and stream what is large to an object store "
     "(Vercel Blob, S3, R2) instead of collecting it.",
     "https://vercel.com/docs/functions/runtimes"},
    {Code::sim_tmp_not_shared, "SIM_TMP_NOT_SHARED", 0,
     "A file in /tmp that another instance wrote was looked for",
     "Each instance has a /tmp of its own, which ends with it. The next request may be served by another one, "
     "which does not have the file. Works in next dev only because one process serves every request.",
     "Files that a later request needs belong in an object store (Vercel Blob, S3, R2) or a database; /tmp is for "
     "what one request needs by itself, and for what can be made again.",
     "https://vercel.com/docs/functions/runtimes"},
    {Code::sim_program_not_there, "SIM_PROGRAM_NOT_THERE", 0,
     "A function started a program that is in no function",
     "A function has Node and its own files. What is installed beside it on the laptop (a browser, ffmpeg, git, "
     "python, ImageMagick, pandoc) is not deployed: `spawn ffmpeg ENOENT`.",
     "Bring the program as a package with a static build (`ffmpeg-static`, `@sparticuz/chromium`) and name its file "
     "in `outputFileTracingIncludes`, or leave the work to a service.",
     "https://github.com/puppeteer/puppeteer/issues/12145"},
    {Code::sim_deployment_protected, "SIM_DEPLOYMENT_PROTECTED", 0,
     "A function called its own deployment by an address that is protected",
     "Deployment Protection answers 401 and a login page at the addresses that Vercel makes, $VERCEL_URL and "
     "$VERCEL_BRANCH_URL, of production too unless the project has switched it off: a function that asks is a "
     "stranger like any other. Works in next dev only because nobody stands before it.",
     "Call the function that the route calls instead of its address. Where a request is needed, send the "
     "header `x-vercel-protection-bypass` with $VERCEL_AUTOMATION_BYPASS_SECRET, or ask "
     "$VERCEL_PROJECT_PRODUCTION_URL, which is public.",
     "https://github.com/AmanVarshney01/create-better-t-stack/pull/1095"},
    {Code::sim_too_many_descriptors, "SIM_TOO_MANY_DESCRIPTORS", 0,
     "An instance has more files and sockets open than it may",
     "All invocations that share an instance share 1,024 file descriptors, the runtime's own included: one "
     "more is `EMFILE: too many open files`. Works in next dev only because this machine allows more.",
     "Close what was opened (`await using`, `finally { await handle.close() }`), read the body of each fetch "
     "or cancel it, keep one pool of connections in a module, and do many things a few at a time.",
     "https://vercel.com/docs/functions/limitations"},
    // clang-format on
}};

constexpr bool rows_in_order() {
  for (std::size_t i = 0; i < kCount; ++i)
    if (static_cast<std::size_t>(kTable[i].code) != i || kTable[i].name.empty()) return false;
  return true;
}
static_assert(rows_in_order(), "a Code has no row in kTable, or the rows are not in the order of the enum");

}  // namespace

const CodeInfo& info(Code code) {
  const auto i = static_cast<std::size_t>(code);
  return kTable[i < kCount ? i : 0];
}

Code find_code(std::string_view name) {
  for (const CodeInfo& row : kTable)
    if (iequals(row.name, name)) return row.code;
  return Code::none;
}

}  // namespace vsim::limits
