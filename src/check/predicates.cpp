#include "check/predicates.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "check/callers.hpp"

namespace vsim::check {
namespace {

bool one_of(std::string_view list, std::string_view word) {
  const auto all = split(list, " ");
  return !word.empty() && std::find(all.begin(), all.end(), word) != all.end();
}
std::string_view argument(const Predicate& p, std::size_t i) {
  return i < p.arguments.size() ? std::string_view(p.arguments[i].text) : std::string_view();
}

bool equal(Match& m, int at, const Predicate& p) { return m.ast.text(at) == argument(p, 1); }

bool any_of(Match& m, int at, const Predicate& p) {
  for (std::size_t i = 1; i < p.arguments.size(); ++i)
    if (m.ast.text(at) == p.arguments[i].text) return true;
  return false;
}

// One of "package package" and "exported exported".
bool is(const Import& i, const Predicate& p) {
  return one_of(argument(p, 1), i.source) && one_of(argument(p, 2), i.imported);
}
// (#imported? @name "package package" "exported exported")
bool imported(Match& m, int at, const Predicate& p) {
  const std::string_view name = m.ast.text(at);
  if (m.ast.is_local(at, name)) {
    // A require() inside the function: its binding is in the list, under the same name.
    const auto& all = m.ast.imports();
    return std::any_of(all.begin(), all.end(), [&](const Import& i) { return i.local == name && is(i, p); });
  }
  const Import* i = m.ast.import_of(name);
  return i != nullptr && is(*i, p);
}
// (#no-import? @any "package" "exported")
bool no_file_import(Match& m, int, const Predicate& p) {
  const auto& all = m.ast.imports();
  return std::none_of(all.begin(), all.end(), [&](const Import& i) { return is(i, p); });
}
// (#file-imports? @any "package" "exported")
bool file_imports(Match& m, int at, const Predicate& p) { return !no_file_import(m, at, p); }
bool is_parameter(Match& m, int at, const Predicate&) {
  for (int f = m.ast.function_of(at); f != kNone; f = m.ast.function_of(f)) {
    for (const char* name : {"parameters", "parameter"})
      for (int i = m.ast.field(f, name); i < m.ast.end(m.ast.field(f, name)); ++i)
        if (m.ast.is(i, "identifier") && m.ast.text(i) == m.ast.text(at)) return true;
  }
  return false;
}
// (#member-of-parameter? @object "socket"): @object, without casts, is a member expression of that property;
// its own object, without casts, is a parameter of a function around it.
bool member_of_parameter(Match& m, int at, const Predicate& p) {
  at = m.ast.strip(at);
  if (!m.ast.is(at, "member_expression")) return false;
  const int property = m.ast.field(at, "property"), object = m.ast.strip(m.ast.field(at, "object"));
  if (property == kNone || m.ast.text(property) != argument(p, 1) || !m.ast.is(object, "identifier"))
    return false;
  return is_parameter(m, object, p);
}
// The first node of its text in its function: a handler that names one thing five times has one problem.
bool first_in_function(Match& m, int at, const Predicate&) {
  int f = m.ast.function_of(at);
  for (int up = f; up != kNone; up = m.ast.function_of(up)) f = up;
  for (int i = std::max(f, 0); i < at; ++i)
    if (m.ast.type(i) == m.ast.type(at) && m.ast.text(i) == m.ast.text(at)) return false;
  return true;
}
bool in_function(Match& m, int at, const Predicate&) { return in_request_function(m, at); }
bool in_handler(Match& m, int at, const Predicate&) {
  return m.program.handler_around(m.file, at) != nullptr;
}
bool global(Match& m, int at, const Predicate&) { return is_global(m, at, m.ast.text(at)); }
// next({ dev }) whose result gives .getRequestHandler(): a server around Next, not a library that names it.
bool custom_server(Match& m, int, const Predicate&) {
  for (int i = 0; i < m.ast.size(); ++i)
    if (m.ast.is(i, "property_identifier") &&
        (m.ast.text(i) == "getRequestHandler" || m.ast.text(i) == "getUpgradeHandler"))
      return true;
  return false;
}
bool node_only_module(Match& m, int at, const Predicate&) {
  std::string name = m.ast.string(at);
  if (name.starts_with("node:")) name = name.substr(5);
  // What the edge runtime has of Node: async_hooks, assert, buffer, events, util; what bundlers fill in is
  // left out.
  const bool missing = is_one_of(name, {"fs",
                                        "fs/promises",
                                        "net",
                                        "tls",
                                        "child_process",
                                        "cluster",
                                        "dgram",
                                        "dns",
                                        "http",
                                        "https",
                                        "http2",
                                        "os",
                                        "readline",
                                        "repl",
                                        "tty",
                                        "v8",
                                        "vm",
                                        "inspector",
                                        "worker_threads",
                                        "perf_hooks",
                                        "zlib",
                                        "dns/promises"});
  // Packages that need what is missing: looked for in the function's own file, where what is imported is
  // used.
  const bool package =
      is_one_of(name, {"bcrypt", "nodemailer", "mongoose", "ioredis", "jsonwebtoken", "fs-extra",
                       "mysql2/promise", "mysql2", "sharp", "better-sqlite3", "puppeteer", "socket.io"});
  if (package ? !m.file.edge : !missing) return false;
  // `import type` never reaches the bundle.
  const auto& all = m.ast.sources();
  if (std::none_of(all.begin(), all.end(), [&](const auto& s) { return s.node == at && !s.dynamic; }))
    return false;
  if (package) m.detail = ": the package needs Node.js";
  if (!m.file.edge) m.detail = fmt::format(", which {} imports for the edge runtime", m.file.edge_entry);
  return true;
}

bool runs_when_loaded(Match& m, int at, const Predicate&) { return runs_at_load(m.program, m.file, at); }
bool next_ws_route(Match& m, int, const Predicate&) {
  return m.file.kind == routes::Kind::app_route && m.program.depends_on("next-ws");
}

constexpr NamedTest kTable[] = {
    {"eq?", equal, "the capture's text is this"},
    {"any-of?", any_of, "the capture's text is one of these"},
    {"imported?", imported,
     "the name is bound by an import (or require) of one of these exports of one of these packages"},
    {"no-import?", no_file_import, "this file imports none of these exports of these packages"},
    {"file-imports?", file_imports, "this file imports one of these exports of one of these packages"},
    {"parameter?", is_parameter, "the name is a parameter of a function around it"},
    {"member-of-parameter?", member_of_parameter, "casts aside, the capture is this member of a parameter"},
    {"in-function?", in_function, "inside a function that runs for requests, not only at build"},
    {"first-in-function?", first_in_function,
     "nothing before it in the outermost function has the same text"},
    {"in-handler?", in_handler,
     "inside a route handler, API route, Server Action, page or getServerSideProps"},
    {"global?", global, "the name is the global one: nothing in the file declares it"},
    {"custom-server?", custom_server,
     "the file asks Next for its request handler, so it is a server around Next"},
    {"node-only-module?", node_only_module, "a Node.js module that the edge runtime does not have"},
    {"shared-state?", shared_state,
     "module state that one request changes and another reads; caches, lazy singletons and flags are not"},
    {"shared-instance?", shared_instance,
     "an object made once whose class or factory fills a Map, a Set or a list for one request and reads it "
     "for another"},
    {"shared-static?", shared_static, "the same for a static field, and for the one object that it keeps"},
    {"shared-global?", shared_global, "the same for a member of globalThis that functions use as it is"},
    {"outlives-response?", outlives_response,
     "a timer started in a handler's own body that nothing there waits for or clears"},
    {"floating?", floating,
     "an async call or a promise with then() or catch() in a handler's own body that nothing waits for"},
    {"endless-wait?", endless_wait,
     "a loop of a handler that sleeps between its turns and that neither time nor a count ends"},
    {"endless-stream?", endless_stream,
     "an event stream that a timer, an endless loop or a listener feeds, that only the visitor ends, and "
     "that does not resume"},
    {"long-wait?", long_wait,
     "an awaited sleep, or a counted loop of them, of a known length above what the function may run"},
    {"module-timer?", module_timer,
     "code that repeats, started while a module loads, and that does more than clear away"},
    {"runs-at-load?", runs_when_loaded, "code that runs while a module is loaded"},
    {"helper-outlives-response?", helper_outlives_response,
     "a timer of a second or more that a function starts and drops, which a handler calls"},
    {"next-ws-route?", next_ws_route,
     "an export of a route handler's file, in a project whose package.json names next-ws"},
    {"outside-tmp?", outside_tmp, "a write whose path is known to lie outside /tmp"},
    {"path-of-environment?", path_of_environment,
     "a write whose path comes from a variable of the environment alone"},
    {"spelled-otherwise?", spelled_otherwise,
     "a module's name that differs in case from the file as git, else the disk, spells it"},
    {"public-env-not-inlined?", public_env_not_inlined,
     "in a client component, a name that begins with NEXT_PUBLIC_ and does not stand behind `process.env.`"},
    {"only-local-env?", only_local_env,
     "a variable that only .env.local, .env.development or the shell defines"},
    {"over-body-max?", over_body_max, "a size above the plan's request body limit"},
    {"no-websocket-transport?", without_websocket_transport,
     "a Socket.IO client of this site whose options allow long polling"},
};

}  // namespace

std::span<const NamedTest> predicate_table() { return kTable; }
const NamedTest* find_predicate(std::string_view name) {
  const auto* it =
      std::find_if(std::begin(kTable), std::end(kTable), [&](const NamedTest& t) { return t.name == name; });
  return it == std::end(kTable) ? nullptr : it;
}

bool holds(Match& m, const Predicate& p) {
  const NamedTest* named = find_predicate(p.name);
  if (named == nullptr || p.arguments.empty() || !p.arguments[0].capture) return false;
  const auto it = m.captures.find(p.arguments[0].text);
  return it != m.captures.end() && named->test(m, it->second, p);
}

bool in_request_function(const Match& m, int i) {
  if (i == kNone) return false;
  bool any = false;
  for (int f = m.ast.function_of(i); f != kNone; f = m.ast.function_of(f)) {
    const std::string_view name = m.ast.function_name(f);
    if (one_of("getStaticProps getStaticPaths generateStaticParams register generateSitemaps", name))
      return false;
    any = true;
  }
  return any;
}

bool is_global(const Match& m, int identifier, std::string_view name) {
  return !m.ast.is_local(identifier, name) && m.ast.top_level(name) == kNone &&
         m.ast.import_of(name) == nullptr;
}

}  // namespace vsim::check
