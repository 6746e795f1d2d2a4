#include <fmt/format.h>

#include "base/text.hpp"
#include "profile/render.hpp"
#include "profile/schema.hpp"
#include "profile/switch.hpp"

namespace vsim::profile {
namespace {

void field(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += fmt::format(R"(,"{}":)", name);
  append_json_string(out, value);
}

// A value and where it comes from, without the brace that ends it.
void value_and_source(std::string& out, const Profile& p, const Key& key) {
  const Provenance& from = provenance_of(p, key);
  out += R"({"value":)";
  append_json_string(out, value_text(p, key));
  field(out, "profile", from.profile);
  field(out, "file", from.file);
  if (from.line != 0) out += fmt::format(R"(,"line":{})", from.line);
  field(out, "source", from.source);
  field(out, "as_of", from.as_of);
  field(out, "confidence", from.confidence);
  field(out, "note", from.note);
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
    out += fmt::format(R"({}"{}":)", first ? "" : ",", key.name);
    first = false;
    value_and_source(out, p, key);
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

std::string render_list_json(std::span<const Profile> profiles) {
  std::string out = R"({"profiles":[)";
  for (const Profile& p : profiles) {
    out += fmt::format(R"({}{{"name":)", &p == profiles.data() ? "" : ",");
    append_json_string(out, p.name);
    field(out, "title", p.title);
    field(out, "plan", to_string(p.plan.value));
    field(out, "compute", to_string(p.compute.value));
    field(out, "as_of", p.as_of);
    out += '}';
  }
  return out + "]}";
}

std::string render_diff_json(const Profile& a, const Profile& b) {
  std::string out = R"({"from":)";
  append_json_string(out, a.name);
  field(out, "to", b.name);
  out += R"(,"differs":{)";
  bool first = true;
  for (const Difference& d : differences(a, b)) {
    const Key& key = *find_key(d.key);
    out += fmt::format(R"({}"{}":{{"from":)", first ? "" : ",", d.key);
    first = false;
    value_and_source(out, a, key);
    out += R"(},"to":)";
    value_and_source(out, b, key);
    out += "}}";
  }
  return out + "}}";
}

}  // namespace vsim::profile
