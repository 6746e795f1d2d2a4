// libFuzzer: any bytes as a profile file, and as overrides. Nothing may crash, hang, or succeed with
// diagnostics; what loads must survive show and load again with the same values.
//   cmake -DVSIM_FUZZ=ON (clang) … && ./profile_yaml_fuzz tests/fuzz/seeds/profile_yaml
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "profile/loader.hpp"
#include "profile/render.hpp"
#include "profile/schema.hpp"

namespace {

using namespace vsim::profile;

void require(bool ok, const char* what, const std::string& detail) {
  if (ok) return;
  std::fprintf(stderr, "%s\n%s\n", what, detail.c_str());
  std::abort();
}

// A whole profile to extend, made from the schema's examples, so that the target needs no file.
const std::string& base() {
  static const std::string text = [] {
    std::string out;
    for (const Key& k : keys())
      out += std::string(k.name) + ": " + std::string(k.name == "duration.extended_max" ? "60s" : k.example) +
             "\n";
    return out;
  }();
  return text;
}

LoadResult load(const std::string& text, const std::vector<std::string>& overrides) {
  return load_profile("fuzz.yaml", overrides, [&](std::string_view name) -> std::optional<std::string> {
    if (name == "fuzz.yaml") return text;
    if (name == "hobby") return base();
    return std::nullopt;
  });
}

void check(const LoadResult& r) {
  const std::string all = to_string(r.diagnostics);
  require(r.profile.has_value() == r.diagnostics.empty(), "a profile with diagnostics, or neither", all);
  for (const Diagnostic& d : r.diagnostics)
    require(d.col >= 1 && d.line >= 0 && d.caret_length >= 1, "place", to_string(d));
  if (!r.profile) return;
  const std::string shown = render_show(*r.profile);
  const LoadResult again = load(shown, {});
  require(again.profile.has_value(), "show does not load again", shown + to_string(again.diagnostics));
  for (const Key& k : keys()) {
    require(value_text(*r.profile, k) == value_text(*again.profile, k), "value changed by show", shown);
    require(provenance_of(*r.profile, k).note == provenance_of(*again.profile, k).note,
            "note changed by show", shown);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(load(text, {}));
  check(load("extends: hobby\n", {text.substr(0, text.find('\n'))}));
  return 0;
}
