#include "limits/polling.hpp"
#include "limits/of_setting.hpp"

namespace vsim::limits::polling {

namespace {

struct Seen {
  bool eio = false, transport = false, polling = false, sid = false;
};

Seen look(std::string_view target) {
  Seen seen;
  const std::size_t question = target.find('?');
  if (question == std::string_view::npos) return seen;
  std::string_view query = target.substr(question + 1);
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(pair.size() == query.size() ? pair.size() : pair.size() + 1);
    seen.eio |= pair.starts_with("EIO=");
    seen.transport |= pair.starts_with("transport=");
    seen.polling |= pair == "transport=polling";
    seen.sid |= pair.starts_with("sid=") && pair.size() > 4;
  }
  return seen;
}

}  // namespace

bool is_engine_io(std::string_view target) {
  const Seen seen = look(target);
  return seen.eio && seen.transport;
}

bool is_session(std::string_view target) {
  const Seen seen = look(target);
  return seen.eio && seen.sid;
}

bool is_session_poll(std::string_view target) {
  const Seen seen = look(target);
  return seen.eio && seen.polling && seen.sid;
}

Verdict verdict(const profile::Profile& p, std::string_view route, std::string_view file) {
  Verdict v = of_setting(Code::sim_polling_false_pass, "isolation", p.isolation, route, file);
  v.enforced = false;
  v.limit = "each poll may reach another instance";
  v.measured = "one process served every poll";
  return v;
}

}  // namespace vsim::limits::polling
