#include "limits/platform_error.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "unit/limits/golden.hpp"

using namespace vsim::limits;
using vsim::test::check_golden;

namespace {

PlatformErrorRequest request(Code code, std::string_view accept = "*/*") {
  PlatformErrorRequest r;
  r.code = code;
  r.accept = accept;
  r.id = "fra1::46n92-1753107905195-02e151215b22";
  r.host = "localhost:3000";
  r.date = "Sun, 22 Nov 2026 20:16:00 GMT";
  r.keep_alive = true;
  return r;
}
std::string body(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }
std::string head(const std::string& response) { return response.substr(0, response.find("\r\n\r\n") + 4); }

}  // namespace

TEST_CASE("the text of a timeout is the one captured from production, byte for byte") {
  CHECK(body(render_platform_error(request(Code::function_invocation_timeout))) ==
        "An error occurred with your "
        "deployment\n\nFUNCTION_INVOCATION_TIMEOUT\n\nfra1::46n92-1753107905195-02e151215b22\n");
}

TEST_CASE("the JSON of a timeout has the status as a string and no code") {
  CHECK(body(render_platform_error(request(Code::function_invocation_timeout, "application/json"))) ==
        R"({"error":{"code":"504","message":"An error occurred with your deployment"}})");
}

TEST_CASE("whole responses") {
  const auto timeout = Code::function_invocation_timeout;
  check_golden("errors/504.text.http", render_platform_error(request(timeout)));
  check_golden("errors/504.json.http",
               render_platform_error(request(timeout, "application/json, text/plain, */*")));
  check_golden("errors/504.html.http",
               render_platform_error(request(timeout, "text/html,application/xhtml+xml")));
  check_golden("errors/413.text.http", render_platform_error(request(Code::function_payload_too_large, "")));
  check_golden("errors/414.text.http", render_platform_error(request(Code::url_too_long)));
  check_golden("errors/431.json.http",
               render_platform_error(request(Code::request_header_too_large, "text/json")));
  check_golden("errors/502.html.http",
               render_platform_error(request(Code::no_response_from_function, "text/html")));
  check_golden("errors/500.text.http",
               render_platform_error(request(Code::function_response_payload_too_large)));
  check_golden("errors/503.text.http", render_platform_error(request(Code::sim_not_ready)));
  check_golden("errors/400.text.http", render_platform_error(request(Code::bad_request)));
  check_golden("errors/400.websocket.http", render_platform_error(request(Code::sim_websocket_refused)));
  check_golden("errors/405.html.http",
               render_platform_error(request(Code::invalid_request_method, "text/html")));
}

TEST_CASE("json is looked for before html, html before text, in any case") {
  const auto type = [](std::string_view accept) {
    const std::string r = render_platform_error(request(Code::url_too_long, accept));
    const std::size_t at = r.find("Content-Type: ") + 14;
    return r.substr(at, r.find(';', at) - at);
  };
  CHECK(type("text/html, application/json") == "application/json");
  CHECK(type("application/problem+JSON") == "application/json");
  CHECK(type("TEXT/HTML") == "text/html");
  CHECK(type("text/plain") == "text/plain");
  CHECK(type("") == "text/plain");
  CHECK(type("text/event-stream") == "text/plain");
}

TEST_CASE("every code renders in every form with a length that is true and no header it should not have") {
  for (int i = 1; i < static_cast<int>(Code::kCount); ++i) {
    for (const char* accept : {"*/*", "application/json", "text/html"}) {
      PlatformErrorRequest r = request(static_cast<Code>(i), accept);
      const std::string response = render_platform_error(r);
      INFO(response);
      CHECK(response.find("\r\nContent-Length: " + std::to_string(body(response).size()) + "\r\n") !=
            std::string::npos);
      CHECK(response.starts_with("HTTP/1.1 "));
      CHECK(response.find("\r\nServer: Vercel\r\n") != std::string::npos);
      CHECK(response.find("Strict-Transport-Security") == std::string::npos);
      CHECK(response.find("Connection:") == std::string::npos);
      const std::string name(info(r.code).name);
      CHECK(response.find("\r\nX-Vercel-Sim: " + name + "\r\n") != std::string::npos);
      const bool vercels = !name.starts_with("SIM_") && name != "BAD_REQUEST";
      CHECK((response.find("\r\nX-Vercel-Error: " + name + "\r\n") != std::string::npos) == vercels);
    }
  }
}

TEST_CASE("a HEAD request gets the same head and no body") {
  PlatformErrorRequest r = request(Code::function_invocation_timeout);
  const std::string whole = render_platform_error(r);
  r.head_only = true;
  CHECK(render_platform_error(r) == head(whole));
}

TEST_CASE("HSTS only over https, and connection: close when the connection ends") {
  PlatformErrorRequest r = request(Code::function_invocation_timeout);
  r.https = true;
  r.host = "app.test";
  r.keep_alive = false;
  const std::string response = render_platform_error(r);
  CHECK(response.find("\r\nStrict-Transport-Security: max-age=63072000\r\n") != std::string::npos);
  CHECK(response.find("\r\nConnection: close\r\n") != std::string::npos);
}

TEST_CASE(
    "no HSTS for names and addresses of this machine: a browser would want TLS of every project there") {
  for (const char* host :
       {"localhost", "localhost:3000", "LocalHost", "a.localhost:1", "127.0.0.1:3000", "[::1]:3000"}) {
    PlatformErrorRequest r = request(Code::function_invocation_timeout);
    r.https = true;
    r.host = host;
    INFO(host);
    CHECK(render_platform_error(r).find("Strict-Transport-Security") == std::string::npos);
  }
}

TEST_CASE("who is turned away learns which key lets him in") {
  for (const char* accept : {"", "text/html"}) {
    const std::string response = render_platform_error(request(Code::sim_host_not_allowed, accept));
    CHECK(response.starts_with("HTTP/1.1 403 "));
    CHECK(response.find("allowed-hosts") != std::string::npos);
  }
}

TEST_CASE("a refused WebSocket can be given another status, and then looks like that one") {
  PlatformErrorRequest r = request(Code::sim_websocket_refused);
  r.status = 404;
  const std::string response = render_platform_error(r);
  CHECK(response.starts_with("HTTP/1.1 404 Not Found\r\n"));
  CHECK(body(response) ==
        "The page could not be found\n\nNOT_FOUND\n\nfra1::46n92-1753107905195-02e151215b22\n");
}

TEST_CASE("an unusual status still makes a whole response") {
  PlatformErrorRequest r = request(Code::sim_websocket_refused);
  for (const int status : {418, 426, 501, 599}) {
    r.status = status;
    CHECK(render_platform_error(r).starts_with("HTTP/1.1 " + std::to_string(status) + " "));
  }
}

TEST_CASE("host and id cannot inject markup into the page") {
  PlatformErrorRequest r = request(Code::function_invocation_timeout, "text/html");
  r.host = "x\"><script>alert('1')</script>";
  r.id = "<b>&";
  const std::string page = body(render_platform_error(r));
  CHECK(page.find("<script>") == std::string::npos);
  CHECK(page.find("<b>") == std::string::npos);
  CHECK(page.find("x&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;") != std::string::npos);
  CHECK(page.find("&lt;b&gt;&amp;") != std::string::npos);
}

TEST_CASE("a crash and a timeout say so in the words of the page") {
  CHECK(body(render_platform_error(request(Code::function_invocation_failed, "text/html")))
            .find("This Serverless Function has crashed.") != std::string::npos);
  CHECK(body(render_platform_error(request(Code::function_invocation_timeout, "text/html")))
            .find("This Serverless Function has timed out.") != std::string::npos);
}
