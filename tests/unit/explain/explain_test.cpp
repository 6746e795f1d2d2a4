// The pages against the data; from an error message to the page that lists it. VSIM_UPDATE_GOLDEN=1 writes
// docs/errors.md and docs/codes/.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "check/rule.hpp"
#include "explain/render.hpp"
#include "explain/search.hpp"
#include "explain/topic.hpp"
#include "limits/code.hpp"
#include "unit/explain/docs.hpp"

namespace fs = std::filesystem;
using namespace vsim;
using namespace vsim::explain;

namespace {

const std::string kDocs = VSIM_SOURCE_DIR "/docs/";

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void check_page(const std::string& path, const std::string& text) {
  INFO(path);
  if (std::getenv("VSIM_UPDATE_GOLDEN") != nullptr) std::ofstream(kDocs + path, std::ios::binary) << text;
  CHECK(read(kDocs + path) == text);
}

// The ids of the best answers.
std::vector<std::string> best(std::string_view query) {
  std::vector<std::string> out;
  for (const Topic* t : search(query).best) out.push_back(t->id);
  return out;
}
using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("topics: every code of the emulator and every rule is there, with words for each section") {
  for (int i = 1; i < static_cast<int>(limits::Code::kCount); ++i) {
    const limits::CodeInfo& row = limits::info(static_cast<limits::Code>(i));
    INFO(row.name << ": add it to codes/*.yaml");
    const Topic* t = find_topic(row.name);
    REQUIRE(t != nullptr);
    CHECK(t->emulated);
    CHECK(t->title == row.title);
    CHECK(t->status == row.status);
  }
  for (const check::Rule& r : check::rules()) {
    INFO(r.id);
    const Topic* t = find_topic(r.id);
    REQUIRE(t != nullptr);
    CHECK(t->kind == TopicKind::rule);
    CHECK_FALSE(t->client.empty());
    CHECK_FALSE(t->messages.empty());
  }
}

TEST_CASE("topics: all names of Vercel's list of errors are known, with its statuses") {
  // https://vercel.com/docs/errors, as of 2025-03-12
  const std::pair<const char*, int> list[] = {{"BODY_NOT_A_STRING_FROM_FUNCTION", 502},
                                              {"DEPLOYMENT_BLOCKED", 403},
                                              {"DEPLOYMENT_DELETED", 410},
                                              {"DEPLOYMENT_DISABLED", 402},
                                              {"DEPLOYMENT_NOT_FOUND", 404},
                                              {"DEPLOYMENT_NOT_READY_REDIRECTING", 303},
                                              {"DEPLOYMENT_PAUSED", 503},
                                              {"DNS_HOSTNAME_EMPTY", 502},
                                              {"DNS_HOSTNAME_NOT_FOUND", 502},
                                              {"DNS_HOSTNAME_RESOLVE_FAILED", 502},
                                              {"DNS_HOSTNAME_RESOLVED_PRIVATE", 404},
                                              {"DNS_HOSTNAME_SERVER_ERROR", 502},
                                              {"EDGE_FUNCTION_INVOCATION_FAILED", 500},
                                              {"EDGE_FUNCTION_INVOCATION_TIMEOUT", 504},
                                              {"FALLBACK_BODY_TOO_LARGE", 502},
                                              {"FUNCTION_INVOCATION_FAILED", 500},
                                              {"FUNCTION_INVOCATION_TIMEOUT", 504},
                                              {"FUNCTION_PAYLOAD_TOO_LARGE", 413},
                                              {"FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE", 500},
                                              {"FUNCTION_THROTTLED", 503},
                                              {"INFINITE_LOOP_DETECTED", 508},
                                              {"INVALID_IMAGE_OPTIMIZE_REQUEST", 400},
                                              {"INVALID_REQUEST_METHOD", 405},
                                              {"MALFORMED_REQUEST_HEADER", 400},
                                              {"MICROFRONTENDS_MIDDLEWARE_ERROR", 500},
                                              {"MICROFRONTENDS_MISSING_FALLBACK_ERROR", 400},
                                              {"MIDDLEWARE_INVOCATION_FAILED", 500},
                                              {"MIDDLEWARE_INVOCATION_TIMEOUT", 504},
                                              {"MIDDLEWARE_RUNTIME_DEPRECATED", 503},
                                              {"NO_RESPONSE_FROM_FUNCTION", 502},
                                              {"NOT_FOUND", 404},
                                              {"OPTIMIZED_EXTERNAL_IMAGE_REQUEST_FAILED", 502},
                                              {"OPTIMIZED_EXTERNAL_IMAGE_REQUEST_INVALID", 502},
                                              {"OPTIMIZED_EXTERNAL_IMAGE_REQUEST_UNAUTHORIZED", 502},
                                              {"OPTIMIZED_EXTERNAL_IMAGE_TOO_MANY_REDIRECTS", 502},
                                              {"RANGE_END_NOT_VALID", 416},
                                              {"RANGE_GROUP_NOT_VALID", 416},
                                              {"RANGE_MISSING_UNIT", 416},
                                              {"RANGE_START_NOT_VALID", 416},
                                              {"RANGE_UNIT_NOT_SUPPORTED", 416},
                                              {"REQUEST_HEADER_TOO_LARGE", 431},
                                              {"RESOURCE_NOT_FOUND", 404},
                                              {"ROUTER_CANNOT_MATCH", 502},
                                              {"ROUTER_EXTERNAL_TARGET_CONNECTION_ERROR", 502},
                                              {"ROUTER_EXTERNAL_TARGET_ERROR", 502},
                                              {"ROUTER_EXTERNAL_TARGET_HANDSHAKE_ERROR", 502},
                                              {"ROUTER_TOO_MANY_HAS_SELECTIONS", 502},
                                              {"SANDBOX_NOT_FOUND", 404},
                                              {"SANDBOX_NOT_LISTENING", 502},
                                              {"SANDBOX_STOPPED", 410},
                                              {"TOO_MANY_FILESYSTEM_CHECKS", 502},
                                              {"TOO_MANY_FORKS", 502},
                                              {"TOO_MANY_RANGES", 416},
                                              {"URL_TOO_LONG", 414},
                                              {"INTERNAL_CACHE_ERROR", 500},
                                              {"INTERNAL_CACHE_KEY_TOO_LONG", 500},
                                              {"INTERNAL_CACHE_LOCK_FULL", 500},
                                              {"INTERNAL_CACHE_LOCK_TIMEOUT", 500},
                                              {"INTERNAL_DEPLOYMENT_FETCH_FAILED", 500},
                                              {"INTERNAL_EDGE_FUNCTION_INVOCATION_FAILED", 500},
                                              {"INTERNAL_EDGE_FUNCTION_INVOCATION_TIMEOUT", 500},
                                              {"INTERNAL_FUNCTION_INVOCATION_FAILED", 500},
                                              {"INTERNAL_FUNCTION_INVOCATION_TIMEOUT", 500},
                                              {"INTERNAL_FUNCTION_NOT_FOUND", 500},
                                              {"INTERNAL_FUNCTION_NOT_READY", 500},
                                              {"INTERNAL_FUNCTION_SERVICE_UNAVAILABLE", 500},
                                              {"INTERNAL_MICROFRONTENDS_BUILD_ERROR", 500},
                                              {"INTERNAL_MICROFRONTENDS_INVALID_CONFIGURATION_ERROR", 500},
                                              {"INTERNAL_MICROFRONTENDS_UNEXPECTED_ERROR", 500},
                                              {"INTERNAL_MISSING_RESPONSE_FROM_CACHE", 500},
                                              {"INTERNAL_OPTIMIZED_IMAGE_REQUEST_FAILED", 500},
                                              {"INTERNAL_ROUTER_CANNOT_PARSE_PATH", 500},
                                              {"INTERNAL_STATIC_REQUEST_FAILED", 500},
                                              {"INTERNAL_UNARCHIVE_FAILED", 500},
                                              {"INTERNAL_UNEXPECTED_ERROR", 500}};
  for (const auto& [name, status] : list) {
    INFO(name);
    const Topic* t = find_topic(name);
    REQUIRE(t != nullptr);
    CHECK(t->status == status);
  }
}

TEST_CASE("topics: ids are unique, words are sentences, sources are addresses, what is pointed to exists") {
  std::set<std::string> ids;
  for (const Topic& t : topics()) {
    INFO(t.id);
    CHECK(ids.insert(t.id).second);
    CHECK_FALSE(t.title.empty());
    CHECK_FALSE(t.title.ends_with('.'));
    CHECK(t.why.ends_with('.'));
    CHECK(t.fix.ends_with('.'));
    CHECK(t.as_of.size() == 10);
    REQUIRE_FALSE(t.sources.empty());
    for (const std::string& s : t.sources) CHECK(s.starts_with("https://"));
    for (const std::string& s : t.see) {
      INFO("see " << s);
      CHECK(find_topic(s) != nullptr);
    }
  }
}

TEST_CASE("codes: a mistake in a file of codes/ is said with the code and the key") {
  const auto error = [](const char* yaml) {
    const auto r = parse_codes(yaml);
    return r ? std::string("none") : r.error().message;
  };
  CHECK(error("codes: {A_B: {titel: x}}") == "A_B: unknown key \"titel\"");
  CHECK(error("codes: {A_B: {title: x}}") == "A_B: title, why, fix and status are needed");
  CHECK(error("codes: {URL_TOO_LONG: {emulated: true, title: x}}") ==
        "URL_TOO_LONG: \"title\" is said in src/limits/code.cpp");
  CHECK(error("codes: {URL_TOO_LONG: {}}") == "URL_TOO_LONG: is emulated (src/limits/code.cpp)");
  CHECK(error("codes: {A_B: {emulated: true}}") == "A_B: has no row in src/limits/code.cpp");
  CHECK(error("x: 1") == "a map with \"codes\"");
  CHECK(error("codes: [").starts_with("line 1"));
}

TEST_CASE("search: a code or a rule in any case is itself, a misspelt one is guessed") {
  CHECK(best("function_invocation_timeout") == Ids{"FUNCTION_INVOCATION_TIMEOUT"});
  CHECK(best("SOCKET-IO-SERVER") == Ids{"socket-io-server"});
  CHECK(search("FUNCTION_INVOCATOIN_TIMEOUT").meant == "FUNCTION_INVOCATION_TIMEOUT");
  CHECK(search("FUNCTION_INVOCATION_TIMEOUTS").meant == "FUNCTION_INVOCATION_TIMEOUT");
  CHECK(search("socket-io-sever").meant == "socket-io-server");
  CHECK(search("SIM_WEBSOCKET_REFUSE").best.front()->id == "SIM_WEBSOCKET_REFUSED");
  const SearchAnswer nothing = search("zebra");
  CHECK(nothing.best.empty());
  CHECK(nothing.also.empty());
  CHECK(nothing.meant.empty());
  CHECK(search("").best.empty());
}

TEST_CASE("search: messages that people paste lead to the page that lists them") {
  CHECK(best("Session ID unknown") == Ids{"SIM_POLLING_FALSE_PASS"});
  CHECK(best("{\"code\":1,\"message\":\"Session ID unknown\"}") == Ids{"SIM_POLLING_FALSE_PASS"});
  CHECK(best("xhr poll error") == Ids{"SIM_POLLING_FALSE_PASS"});
  CHECK(best("WebSocket is closed before the connection is established") == Ids{"SIM_WEBSOCKET_REFUSED"});
  CHECK(
      best("WebSocket connection to 'wss://app.vercel.app/socket.io/?EIO=4&transport=websocket' failed: ") ==
      Ids{"SIM_WEBSOCKET_REFUSED"});
  CHECK(best("transport error") == Ids{"SIM_POLLING_FALSE_PASS", "SIM_WEBSOCKET_REFUSED"});
  CHECK(best("socket hang up") == Ids{"NO_RESPONSE_FROM_FUNCTION", "SIM_WEBSOCKET_REFUSED"});
  CHECK(best("SyntaxError: Unexpected token 'A', \"An error o\"... is not valid JSON") ==
        Ids{"FUNCTION_INVOCATION_TIMEOUT"});
  CHECK(best("Unexpected token \xE2\x80\x98"
             "A\xE2\x80\x99, \xE2\x80\x9C"
             "An error o\xE2\x80\x9D\xE2\x80\xA6 is not valid JSON") == Ids{"FUNCTION_INVOCATION_TIMEOUT"});
  CHECK(best("Unexpected token 'A', \"A server e\"... is not valid JSON") ==
        Ids{"FUNCTION_INVOCATION_FAILED"});
  CHECK(best("Unexpected token 'R', \"Request En\"... is not valid JSON") ==
        Ids{"FUNCTION_PAYLOAD_TOO_LARGE"});
  CHECK(best("2026-01-01T00:00:00 Vercel Runtime Timeout Error: Task timed out after 60 seconds") ==
        Ids{"FUNCTION_INVOCATION_TIMEOUT"});
  CHECK(best("504: GATEWAY_TIMEOUT Code: FUNCTION_INVOCATION_TIMEOUT ID: fra1::x") ==
        Ids{"FUNCTION_INVOCATION_TIMEOUT"});
  CHECK(best("413") == Ids{"FUNCTION_PAYLOAD_TOO_LARGE"});
  CHECK(best("508") == Ids{"INFINITE_LOOP_DETECTED"});
  // What an app's own error says: the cause, and not what else shares words with it.
  const std::pair<const char*, Ids> pasted[] = {
      {"Error: EROFS: read-only file system, open '/var/task/data.json'", {"SIM_READ_ONLY_FILESYSTEM"}},
      {"EROFS", {"SIM_READ_ONLY_FILESYSTEM"}},
      {"[Error: ENOENT: no such file or directory, mkdir '/var/task/public/uploads'] { errno: -2 }",
       {"SIM_READ_ONLY_FILESYSTEM"}},
      {"SqliteError: attempt to write a readonly database", {"SIM_READ_ONLY_FILESYSTEM"}},
      {"Error: ENOENT: no such file or directory, open '/var/task/content/hello.mdx'", {"file-not-traced"}},
      {"ENOENT: no such file or directory, scandir '/var/task/posts'", {"file-not-traced"}},
      {"Error: connect ECONNREFUSED 127.0.0.1:3000", {"SIM_LOCALHOST_SELF_FETCH"}},
      {"TypeError: fetch failed cause: Error: connect ECONNREFUSED ::1:3000", {"SIM_LOCALHOST_SELF_FETCH"}},
      {"Error: connect ECONNREFUSED 127.0.0.1:5432", {"SIM_LOOPBACK_SERVER"}},
      {"connect ECONNREFUSED 127.0.0.1:6379", {"SIM_LOOPBACK_SERVER"}},
      {"connect ECONNREFUSED 127.0.0.1:8080", {"SIM_LOCALHOST_SELF_FETCH", "SIM_LOOPBACK_SERVER"}},
      {"Can't reach database server at `db.abc.supabase.co:5432`", {"database-unreachable"}},
      {"PrismaClientInitializationError: Can't reach database server at `db:5432`", {"database-unreachable"}},
      {"error: sorry, too many clients already", {"SIM_CONNECTIONS_REFUSED"}},
      {"Error: Could not find Chrome (ver. 127.0.6533.88). This can occur if either", {"browser-not-there"}},
      {"/tmp/chromium: error while loading shared libraries: libnss3.so: cannot open shared object file: No "
       "such "
       "file or directory",
       {"browser-not-there"}},
      {"Error: spawn ffmpeg ENOENT", {"program-not-there"}},
      {"Error: spawn magick ENOENT", {"program-not-there"}},
      {"Error: connect ENETUNREACH 2600:1f18:1:2::3:5432 - Local (:::0)", {"SIM_IPV6_ONLY"}},
      {"ENOSPC: no space left on device, write", {"SIM_TMP_FULL"}},
      {"ENOENT: no such file or directory, open '/tmp/up/1.bin'", {"SIM_TMP_NOT_SHARED"}},
      {"connect ETIMEDOUT 93.184.216.34:25", {"SIM_SMTP_PORT"}},
      {"Fontconfig error: Cannot load default config file", {"fonts-not-there"}},
      {"Error: A Serverless Function has exceeded the unzipped maximum size of 250 MB. : "
       "https://vercel.link/x",
       {"function-too-large"}},
      {"The Edge Function \"middleware\" size is 1.12 MB and your plan size limit is 1 MB.",
       {"edge-function-too-large"}},
      {"Failed to find Server Action \"7f3a\". This request might be from an older or newer deployment.",
       {"action-of-another-deployment"}},
      {"Task timed out after 10.01 seconds", {"FUNCTION_INVOCATION_TIMEOUT"}},
      {"Session ID unknown", {"SIM_POLLING_FALSE_PASS"}},
  };
  for (const auto& [line, ids] : pasted) {
    INFO(line);
    CHECK(best(line) == ids);
  }
  CHECK(best("Serverless Functions must have a maxDuration between 1 and 300 for plan hobby.") ==
        Ids{"SIM_MAX_DURATION_OVER_PLAN"});
}

TEST_CASE("search: every message that is listed finds a page that lists it") {
  for (const Topic& t : topics())
    for (const std::string& m : t.messages) {
      INFO(t.id << ": " << m);
      const SearchAnswer a = search(m);
      REQUIRE_FALSE(a.best.empty());
      bool lists = false;
      for (const Topic* b : a.best)
        for (const std::string& other : b->messages) lists |= normalized(other) == normalized(m);
      // "FUNCTION_INVOCATION_FAILED" as a message is the code itself.
      CHECK((lists || find_topic(m) != nullptr || m.find(a.best.front()->id) != std::string::npos));
    }
}

TEST_CASE("text: no line of explain is wider than 100 columns, except where code or a message is") {
  for (const Topic& t : topics()) {
    const std::string text = render_text(t);
    CHECK(text.ends_with("\n"));
    CHECK(text.find("```") == std::string::npos);
    CHECK(text.starts_with(t.id));
  }
  for (std::size_t at = 0, list_end = render_list().size(); at < list_end;) {
    const std::string list = render_list();
    const std::size_t end = list.find('\n', at);
    INFO(list.substr(at, end - at));
    CHECK(end - at <= 140);
    at = end + 1;
  }
}

TEST_CASE(
    "docs: docs/errors.md and every page of docs/codes/ are what the data says, and there are no others") {
  check_page("errors.md", render_index());
  std::set<std::string> expected;
  fs::create_directories(kDocs + "codes");
  for (const Topic& t : topics()) {
    expected.insert(page_path(t));
    check_page(page_path(t), render_page(t));
  }
  for (const auto& entry : fs::directory_iterator(kDocs + "codes")) {
    INFO(entry.path() << " belongs to no code and no rule");
    CHECK(expected.contains("codes/" + entry.path().filename().string()));
  }
}
