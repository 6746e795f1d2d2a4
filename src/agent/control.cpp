#include "agent/control.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "agent/line_fields.hpp"

namespace vsim::agent {
namespace {

namespace json = boost::json;
using namespace line;

bool deliver_of_invocation(std::string_view type, const json::object& o, ControlHandler& handler) {
  const InvocationId of = id(o);  // none: nobody's, and ignored as one that has ended
  if (type == "dispatch") {
    handler.on_dispatch(of, text(o, "page"), text(o, "kind"), text(o, "runtime"), flag(o, "static"));
  } else if (type == "handler") {
    handler.on_handler(of);
  } else {
    const std::string_view phase = text(o, "phase");
    if (phase != "start" && phase != "end") return false;
    handler.on_compile(of, phase == "end");
  }
  return true;
}

std::vector<Hanging> hanging(const json::object& o) {
  constexpr std::size_t kMost = 64;  // nobody reads more
  std::vector<Hanging> out;
  const auto* v = o.if_contains("hanging");
  if (v == nullptr || !v->is_array()) return out;
  for (const auto& item : v->get_array()) {
    if (!item.is_object() || out.size() == kMost) continue;
    const json::object& h = item.get_object();
    const std::string_view source = text(h, "source");
    out.push_back({std::string(text(h, "kind")), std::string(source.empty() ? text(h, "at") : source),
                   std::chrono::duration_cast<Duration>(
                       std::chrono::duration<double, std::milli>(std::clamp(number(h, "ms"), 0.0, 1e12)))});
  }
  return out;
}
Refused refused(const json::object& o) {
  const std::string_view source = text(o, "source");
  return {text(o, "what"), source.empty() ? text(o, "at") : source, flag(o, "failed"), flag(o, "middleware")};
}
Machine machine(const json::object& o) {
  const std::string_view source = text(o, "source");
  return {text(o, "kind"),     text(o, "what"),  text(o, "to"),     source.empty() ? text(o, "at") : source,
          text(o, "variable"), text(o, "doubt"), flag(o, "refused")};
}
MadeReport made(const json::object& o) {
  return {text(o, "key"),   text(o, "digest"),  text(o, "by"),
          text(o, "kind"),  number(o, "every"), static_cast<std::int64_t>(counter(o, "read").value_or(0)),
          texts(o, "files")};
}
NotTraced not_traced(const json::object& o) {
  return {text(o, "page"), text(o, "kind"),  text(o, "what"),      text(o, "path"),
          text(o, "at"),   text(o, "route"), flag(o, "directory"), flag(o, "excluded")};
}
Hello hello(const json::object& o) {
  Hello out;
  out.pid = small_number(o, "pid");
  out.next = text(o, "next");
  out.bundler = text(o, "bundler");
  out.missing = texts(o, "missing");
  out.exec = text(o, "exec");
  out.compile = flag(o, "compile");
  if (const auto* v = o.if_contains("isolation"); v != nullptr && v->is_object()) {
    const json::object& i = v->get_object();
    out.isolation = {flag(i, "ok"), texts(i, "missing"), flag(i, "grouped")};
  }
  return out;
}
Boot boot(const json::object& o) {
  return {std::string(text(o, "file")),
          texts(o, "tmp"),
          texts(o, "standIns"),
          std::string(text(o, "sharedTmp")),
          std::string(text(o, "project")),
          texts(o, "writable"),
          std::string(text(o, "openDisk"))};
}
std::optional<Precompiled> precompiled(const json::object& o) {
  using Status = Precompiled::Status;
  static constexpr std::pair<std::string_view, Status> kWords[] = {
      {"ok", Status::ok}, {"missing", Status::missing}, {"failed", Status::failed}, {"left", Status::left}};
  const std::string_view word = text(o, "status");
  for (const auto& [name, status] : kWords)
    if (name == word)
      return Precompiled{text(o, "page"), text(o, "kind"), number(o, "ms"), status, text(o, "error")};
  return std::nullopt;
}
bool parse(std::string_view line, json::value& out) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 16;
  out = json::parse(json::string_view(line.data(), line.size()), error, {}, options);
  return !error && out.is_object();
}

}  // namespace

bool deliver(std::string_view line, ControlHandler& handler, Said& said) {
  json::value value;
  if (!parse(line, value)) return false;
  const json::object& o = value.get_object();
  const std::string_view type = text(o, "t");
  if (type.empty()) return false;
  if (type == "hello") {
    handler.on_hello(hello(o));
  } else if (type == "listening") {
    handler.on_listening();
  } else if (type == "config") {
    AppConfig config;
    if (o.contains("basePath")) config.base_path = text(o, "basePath");
    if (o.contains("pageExtensions")) config.page_extensions = texts(o, "pageExtensions");
    handler.on_config(config);
  } else if (type == "precompiled") {
    const auto done = precompiled(o);
    if (!done) return false;
    handler.on_precompiled(*done);
  } else if (type == "boot") {
    if (text(o, "file").empty()) return false;
    said.booted = true;
    handler.on_boot(boot(o));
  } else if (type == "changed") {
    const auto generation = counter(o, "generation");
    if (!generation) return false;
    handler.on_changed({*generation, flag(o, "all"), flag(o, "environment"), texts(o, "files")});
  } else if (type == "refused") {
    handler.on_refused(id(o), refused(o));
  } else if (type == "not_traced") {
    handler.on_not_traced(id(o), not_traced(o));
  } else if (type == "left") {
    handler.on_left(id(o), hanging(o), flag(o, "stopped"));
  } else if (type == "state") {
    handler.on_state(id(o), said.state.read(o));
  } else if (type == "dispatch" || type == "compile" || type == "handler") {
    return deliver_of_invocation(type, o, handler);
  }
  return true;
}

bool deliver(std::string_view line, std::uint64_t n, InstanceHandler& handler, Said& said) {
  json::value value;
  if (!parse(line, value)) return false;
  const json::object& o = value.get_object();
  const std::string_view type = text(o, "t");
  if (type.empty()) return false;
  if (type == "ready") {
    handler.on_ready(n, number(o, "ms"));
  } else if (type == "bound") {
    handler.on_bound(
        n, {text(o, "page"), texts(o, "files"), flag(o, "template"), text(o, "uncopied"), flag(o, "client")});
  } else if (type == "handler") {
    handler.on_handler(n, id(o));
  } else if (type == "dispatch") {
    handler.on_dispatch(n, id(o), text(o, "page"), text(o, "kind"), text(o, "runtime"), flag(o, "static"));
  } else if (type == "compile") {
    const std::string_view phase = text(o, "phase");
    if (phase != "start" && phase != "end") return false;
    handler.on_compile(n, id(o), phase == "end");
  } else if (type == "call") {
    handler.on_call(n, flag(o, "open"));
  } else if (type == "done") {
    std::optional<std::vector<std::string>> files;
    if (o.contains("files")) files = texts(o, "files");
    handler.on_done(n, id(o), std::move(files), hanging(o), flag(o, "untouched"));
  } else if (type == "state") {
    handler.on_state(n, id(o), said.state.read(o));
  } else if (type == "variables") {
    said.state.take(o);
  } else if (type == "pong") {
    handler.on_pong(n);
  } else if (type == "answer") {
    handler.on_answer_at(n, id(o), text(o, "source"));
  } else if (type == "refused") {
    handler.on_refused(n, id(o), refused(o));
  } else if (type == "missing") {
    handler.on_missing(n, texts(o, "names"));
  } else if (type == "connections") {
    handler.on_connections(
        n, id(o), {text(o, "to"), text(o, "at"), text(o, "refusal"), counter(o, "count").value_or(0)});
  } else if (type == "machine") {
    handler.on_machine(n, id(o), machine(o));
  } else if (type == "tmp") {
    handler.on_tmp(n, text(o, "wrote"), text(o, "removed"), flag(o, "build"));
  } else if (type == "made") {
    handler.on_made(n, id(o), made(o));
  } else if (type == "revalidated") {
    handler.on_revalidated(n);
  } else if (type == "socket_failed") {
    handler.on_socket_failed(n, id(o));
  } else if (type == "broken_off") {
    handler.on_broken_off(n, id(o), text(o, "message"), text(o, "source"));
  } else if (type == "crashed") {
    handler.on_crashed(n, id(o), small_number(o, "code"));
  } else if (type == "dying") {
    handler.on_dying(n, text(o, "why"), text(o, "message"), text(o, "stack"));
  }
  return true;
}

std::optional<Ahead> ahead(std::string_view line) {
  json::value value;
  if (!parse(line, value)) return std::nullopt;
  const json::object& o = value.get_object();
  if (text(o, "t") != "ahead" || text(o, "file").empty() || text(o, "exec").empty()) return std::nullopt;
  return Ahead{boot(o), std::string(text(o, "exec")), flag(o, "grouped")};
}

std::string compile_line(std::string_view page, std::string_view kind) {
  return json::serialize(
      json::object{{"t", "compile"}, {"page", json::string_view(page)}, {"kind", json::string_view(kind)}});
}
std::string bind_line(std::string_view page, std::string_view kind, std::string_view runtime,
                      std::string_view head, bool as_template, bool client) {
  json::object o{{"t", "bind"},
                 {"page", json::string_view(page)},
                 {"kind", json::string_view(kind)},
                 {"runtime", json::string_view(runtime)}};
  if (!head.empty()) o["head"] = json::string_view(head);
  if (as_template) o["template"] = true;
  if (as_template && !client) o["client"] = false;
  return json::serialize(o);
}
std::string copy_line(std::uint64_t n, std::string_view socket, std::string_view mark) {
  return json::serialize(json::object{{"instance", std::to_string(n)},
                                      {"socket", json::string_view(socket)},
                                      {"mark", json::string_view(mark)}});
}
std::string policy_line(std::string_view isolation) {
  return json::serialize(json::object{{"t", "policy"}, {"isolation", json::string_view(isolation)}});
}
std::string ping_line() { return R"({"t":"ping"})"; }
std::string expire_line(InvocationId of) {
  return R"({"t":"expire","id":")" + std::to_string(static_cast<std::uint64_t>(of)) + "\"}";
}
std::string last_line(std::span<const InvocationId> placed) {
  std::string line = R"({"t":"last","ids":[)";
  for (const InvocationId of : placed) {
    if (line.back() != '[') line += ',';
    line += '"' + std::to_string(static_cast<std::uint64_t>(of)) + '"';
  }
  return line + "]}";
}

}  // namespace vsim::agent
