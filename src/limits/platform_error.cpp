#include "limits/platform_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.hpp"

namespace vsim::limits {
namespace {

// docs/platform.md section 3, "Titles by status" and "Status descriptions". The rows marked (*) are
// not in any capture: they follow the pattern of the others.
struct StatusWords {
  int status;
  std::string_view reason;  // of the status line; 413 as captured
  std::string_view title;
  std::string_view description;
};
constexpr StatusWords kStatusWords[] = {
    {400, "Bad Request", "Bad request", "BAD_REQUEST"},
    {402, "Payment Required", "Payment required", "PAYMENT_REQUIRED"},
    {403, "Forbidden", "You don't have the required permissions", "FORBIDDEN"},
    {404, "Not Found", "The page could not be found", "NOT_FOUND"},
    {405, "Method Not Allowed", "Method not allowed", "NOT_ALLOWED"},
    {410, "Gone", "The deployment has been removed", "GONE"},
    {413, "Request Entity Too Large", "Request Entity Too Large", "PAYLOAD_TOO_LARGE"},
    {414, "URI Too Long", "URI Too Long", "URI_TOO_LONG"},                    // (*)
    {417, "Expectation Failed", "Expectation Failed", "EXPECTATION_FAILED"},  // (*)
    {426, "Upgrade Required", "Upgrade Required", "UPGRADE_REQUIRED"},        // (*)
    {429, "Too Many Requests", "Rate limited", "RATE_LIMITED"},
    {431, "Request Header Fields Too Large", "Request Header Fields Too Large",
     "REQUEST_HEADER_TOO_LARGE"},  // (*)
    {500, "Internal Server Error", "A server error has occurred", "INTERNAL_SERVER_ERROR"},
    {501, "Not Implemented", "Not implemented", "NOT_IMPLEMENTED"},
    {502, "Bad Gateway", "An error occurred with this application.", "BAD_GATEWAY"},
    {503, "Service Unavailable", "The deployment is currently unavailable", "SERVICE_UNAVAILABLE"},
    {504, "Gateway Timeout", "An error occurred with your deployment", "GATEWAY_TIMEOUT"},
    {505, "HTTP Version Not Supported", "HTTP Version Not Supported", "HTTP_VERSION_NOT_SUPPORTED"},  // (*)
    {508, "Loop Detected", "Infinite loop detected", "INFINITE_LOOP"},
};

StatusWords words_of(int status) {
  for (const StatusWords& w : kStatusWords)
    if (w.status == status) return w;
  return status >= 500
             ? StatusWords{status, "Server Error", "A server error has occurred", "INTERNAL_SERVER_ERROR"}
             : StatusWords{status, "Error", "Bad request", "BAD_REQUEST"};
}

bool icontains(std::string_view text, std::string_view lower_word) {
  return std::search(text.begin(), text.end(), lower_word.begin(), lower_word.end(),
                     [](char a, char b) { return ascii_lower(a) == b; }) != text.end();
}

std::string html(std::string_view text) {
  constexpr std::string_view kSpecial = "&<>\"'";
  constexpr std::string_view kEntities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  std::string out;
  for (const char c : text) {
    const std::size_t at = kSpecial.find(c);
    out += at == std::string_view::npos ? std::string_view(&c, 1) : kEntities[at];
  }
  return out;
}

bool is_vercels(Code code) { return code != Code::bad_request && !info(code).name.starts_with("SIM_"); }

// The code a body shows. A refused WebSocket looks like any request Vercel refuses with that status: the
// emulator's own word for it is in x-vercel-sim only.
std::string_view shown_code(Code code, const StatusWords& words) {
  return code == Code::sim_websocket_refused || code == Code::bad_request ? words.description
                                                                          : info(code).name;
}

// Of "localhost:3000", "a.localhost", "127.0.0.1:3000", "[::1]": whoever remembers it for those takes every
// other project on this machine for HTTPS too.
bool is_loopback_name(std::string_view authority) {
  return authority.starts_with("[::1]") || is_loopback_host(authority.substr(0, authority.find(':')));
}

bool is_turned_away(Code code) {
  return code == Code::sim_host_not_allowed || code == Code::sim_origin_not_allowed;
}

std::string html_body(const PlatformErrorRequest& r, const StatusWords& words) {
  std::string headline;
  if (r.code == Code::function_invocation_failed)
    headline = "This Serverless Function has crashed.";
  else if (r.code == Code::function_invocation_timeout)
    headline = "This Serverless Function has timed out.";
  else if (r.code == Code::edge_function_invocation_timeout)
    headline = "This Edge Function has timed out.";
  else if (r.code == Code::middleware_invocation_timeout)
    headline = "This Edge Middleware has timed out.";
  else if (r.code == Code::middleware_invocation_failed)
    headline = "This Edge Middleware has crashed.";
  else
    headline = fmt::format("{}{}", words.title, words.title.ends_with('.') ? "" : ".");
  const std::string_view code = shown_code(r.code, words);
  const std::string id = html(r.id), host = html(r.host);
  // Words: facts section 3; the markup is our own.
  std::string out = fmt::format(
      "<!doctype html>\n"
      "<html lang=\"en\">\n"
      "<head>\n"
      "<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}: {1}</title>\n"
      "<style>\n"
      ":root{{color-scheme:light dark}}\n"
      "body{{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,sans-serif;"
      "background:#fff;color:#111}}\n"
      "main{{max-width:40rem;padding:2rem}}\n"
      "h1{{font-size:1.5rem;margin:0 0 1rem}}\n"
      "p{{margin:.25rem 0}}\n"
      ".facts{{margin:1.5rem 0;padding:1rem;border:1px solid #ccc;border-radius:8px}}\n"
      "code{{overflow-wrap:anywhere}}\n"
      "a{{color:#0057d9}}\n"
      "@media(prefers-color-scheme:dark){{body{{background:#0a0a0a;color:#ededed}}.facts{{border-color:#444}}"
      "a{{color:#6cb2ff}}}}\n"
      "</style>\n"
      "</head>\n"
      "<body>\n"
      "<main>\n"
      "<h1>{2}</h1>\n"
      "<p>Your connection is working correctly.</p>\n"
      "<p>Vercel is working correctly.</p>\n"
      "<div class=\"facts\">\n"
      "<p><strong>{0}: {1}</strong></p>\n"
      "<p>Code: <code>{3}</code></p>\n"
      "<p>ID: <code>{4}</code></p>\n"
      "</div>\n"
      "<p>If you are a visitor, contact the website owner or try again later.</p>\n",
      words.status, words.description, html(headline), html(code), id);
  const std::string link = is_vercels(r.code)
                               ? fmt::format("https://vercel.com/docs/errors/{}", info(r.code).name)
                               : std::string(info(r.code).source);
  fmt::format_to(std::back_inserter(out),
                 "<p>If you are the owner, <a href=\"{}\">learn how to fix the error</a>", html(link));
  if (!host.empty())
    fmt::format_to(std::back_inserter(out), " and <a href=\"{}://{}/_logs?requestId={}\">check the logs</a>",
                   r.https ? "https" : "http", host, id);
  out += ".</p>\n";
  if (is_turned_away(r.code)) fmt::format_to(std::back_inserter(out), "<p>{}</p>\n", html(info(r.code).fix));
  out += "</main>\n</body>\n</html>\n";
  return out;
}

}  // namespace

std::string render_platform_error(const PlatformErrorRequest& r) {
  const int status = r.status != 0 ? r.status : info(r.code).status != 0 ? info(r.code).status : 500;
  const StatusWords words = words_of(status);

  std::string body;
  std::string_view type;
  if (icontains(r.accept, "json")) {
    type = "application/json; charset=utf-8";
    body = fmt::format(R"({{"error":{{"code":"{}","message":"{}"}}}})", status, words.title);
  } else if (icontains(r.accept, "html")) {
    type = "text/html; charset=utf-8";
    body = html_body(r, words);
  } else {
    type = "text/plain; charset=utf-8";
    body = fmt::format("{}\n\n{}\n\n{}\n", words.title, shown_code(r.code, words), r.id);
    // Nobody but vercel-sim says this, and who is turned away does not see the terminal.
    if (is_turned_away(r.code)) fmt::format_to(std::back_inserter(body), "\n{}\n", info(r.code).fix);
  }

  std::string out;
  out.reserve(body.size() + 512);
  auto to = std::back_inserter(out);
  fmt::format_to(to, "HTTP/1.1 {} {}\r\n", status, words.reason);
  if (!r.date.empty()) fmt::format_to(to, "Date: {}\r\n", r.date);
  fmt::format_to(to,
                 "Content-Type: {}\r\n"
                 "Content-Length: {}\r\n"
                 "Cache-Control: public, max-age=0, must-revalidate\r\n"
                 "Server: Vercel\r\n",
                 type, body.size());
  if (r.https && !is_loopback_name(r.host)) out += "Strict-Transport-Security: max-age=63072000\r\n";
  if (is_vercels(r.code)) fmt::format_to(to, "X-Vercel-Error: {}\r\n", info(r.code).name);
  if (!r.id.empty()) fmt::format_to(to, "X-Vercel-Id: {}\r\n", r.id);
  fmt::format_to(to, "X-Vercel-Sim: {}\r\n", info(r.code).name);
  if (status == 405)
    out += "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";  // RFC 9110 15.5.6 asks for it
  if (r.code == Code::sim_not_ready) out += "Retry-After: 1\r\n";
  if (!r.keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
  if (!r.head_only) out += body;
  return out;
}

}  // namespace vsim::limits
