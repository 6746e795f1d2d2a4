#include "base/json_out.hpp"
#include "profile/render.hpp"
#include "profile/schema.hpp"
#include "profile/switch.hpp"

namespace vsim::profile {
namespace {

// A value and where it comes from.
void value_of(JsonOut o, const Profile& p, const Key& key) {
  const Provenance& from = provenance_of(p, key);
  o.raw("value", json_string(value_text(p, key))).text("profile", from.profile).text("file", from.file);
  if (from.line != 0) o.number("line", from.line);
  o.text("source", from.source).text("as_of", from.as_of).text("confidence", from.confidence);
  o.text("note", from.note);
}

}  // namespace

std::string render_json(const Profile& p) {
  std::string out;
  {
    JsonOut o(out, '{');
    o.raw("name", json_string(p.name)).text("title", p.title).text("as_of", p.as_of);
    {
      JsonOut values = o.in("values", '{');
      for (const Key& key : keys()) value_of(values.in(key.name, '{'), p, key);
    }
    JsonOut rest = o.in("not_enforced", '[');
    for (const Unenforced& u : unenforced())
      rest.item("")
          .text("what", u.what)
          .text("value", u.value)
          .text("source", u.source)
          .text("as_of", u.as_of);
  }
  return out;
}

std::string render_list_json(std::span<const Profile> profiles) {
  std::string out;
  {
    JsonOut o(out, '{');
    JsonOut list = o.in("profiles", '[');
    for (const Profile& p : profiles) {
      JsonOut one = list.item("");
      one.raw("name", json_string(p.name)).text("title", p.title).text("plan", to_string(p.plan.value));
      one.text("compute", to_string(p.compute.value)).text("as_of", p.as_of);
    }
  }
  return out;
}

std::string render_diff_json(const Profile& a, const Profile& b) {
  std::string out;
  {
    JsonOut o(out, '{');
    o.raw("from", json_string(a.name)).text("to", b.name);
    JsonOut differs = o.in("differs", '{');
    for (const Difference& d : differences(a, b)) {
      const Key& key = *find_key(d.key);
      JsonOut one = differs.in(d.key, '{');
      value_of(one.in("from", '{'), a, key);
      value_of(one.in("to", '{'), b, key);
    }
  }
  return out;
}

}  // namespace vsim::profile
