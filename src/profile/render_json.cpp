#include <fmt/format.h>

#include "base/text.hpp"
#include "profile/render.hpp"
#include "profile/schema.hpp"

namespace vsim::profile {
namespace {

void field(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += fmt::format(R"(,"{}":)", name);
  append_json_string(out, value);
}

}  // namespace

std::string render_json(const Profile& p) {
  std::string out = R"({"name":)";
  append_json_string(out, p.name);
  field(out, "title", p.title);
  field(out, "as_of", p.as_of);
  out += R"(,"values":{)";
  bool first = true;
  for (const Key& key : keys()) {
    const Provenance& from = provenance_of(p, key);
    out += fmt::format(R"({}"{}":{{"value":)", first ? "" : ",", key.name);
    first = false;
    append_json_string(out, value_text(p, key));
    field(out, "profile", from.profile);
    field(out, "file", from.file);
    if (from.line != 0) out += fmt::format(R"(,"line":{})", from.line);
    field(out, "source", from.source);
    field(out, "as_of", from.as_of);
    field(out, "confidence", from.confidence);
    field(out, "note", from.note);
    out += '}';
  }
  out += R"(},"not_enforced":[)";
  for (const Unenforced& u : unenforced()) {
    out += fmt::format(R"({}{{"what":)", &u == unenforced().data() ? "" : ",");
    append_json_string(out, u.what);
    field(out, "value", u.value);
    field(out, "source", u.source);
    field(out, "as_of", u.as_of);
    out += '}';
  }
  return out + "]}";
}

}  // namespace vsim::profile
