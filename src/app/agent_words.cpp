#include "app/agent_words.hpp"

#include <string>

namespace vsim::app {

engine::Dispatch to_dispatch(std::string_view page, std::string_view kind, std::string_view runtime,
                             bool is_static) {
  engine::Dispatch out;
  out.page = page;
  out.is_static = is_static;
  out.runtime = runtime == "edge" ? routes::Runtime::edge : routes::Runtime::nodejs;
  out.kind = kind == "APP_ROUTE"    ? routes::Kind::app_route
             : kind == "APP_PAGE"   ? routes::Kind::app_page
             : kind == "PAGES_API"  ? routes::Kind::pages_api
             : kind == "PAGES"      ? routes::Kind::pages
             : kind == "MIDDLEWARE" ? routes::Kind::middleware
                                    : routes::Kind::unknown;
  return out;
}

limits::CodeRefused to_refused(const agent::Refused& told) {
  return {told.what, told.at, told.failed, told.middleware};
}

limits::connections::HeldConnections to_connections(const agent::Connections& c) {
  return {std::string(c.to), static_cast<std::size_t>(c.count), std::string(c.at), std::string(c.refusal)};
}

std::optional<limits::MachineFact> to_fact(const agent::Machine& m) {
  const auto kind = limits::machine::kind_of(m.kind);
  const auto doubt = limits::machine::doubt_of(m.doubt);
  if (!kind || !doubt) return std::nullopt;
  return limits::MachineFact{*kind, m.what, m.to, m.at, m.variable, *doubt, m.refused, m.by};
}

limits::made_at_build::Made to_made(const agent::MadeReport& m) {
  // A day is enough for what lasts longer than any run.
  const bool ends = m.every > 0 && m.every < 1e6;
  const Duration every = ends ? Duration(static_cast<std::int64_t>(m.every * 1e9)) : kForever;
  return {m.key, m.digest, m.by, m.kind, every, m.read, m.files};
}

limits::not_traced::Read to_read(const agent::NotTraced& t) {
  return {t.what, t.path, t.at, t.route, t.directory, t.excluded};
}

}  // namespace vsim::app
