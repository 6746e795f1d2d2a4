// A report as text: for people, as JSON (docs/rules.md describes it), as SARIF 2.1.0, as GitHub annotations.
// Pure; no colours. Files are printed with `prefix` in front, the project's directory as seen by the reader
// ("apps/web/").
#pragma once

#include <string>

#include "check/checker.hpp"

namespace vsim::check {

struct RenderOptions {
  std::string prefix;
  std::string profile;  // "hobby"
};

std::string render_text(const Report&, const RenderOptions&);
std::string render_json(const Report&, const RenderOptions&);
std::string render_sarif(const Report&, const RenderOptions&);
std::string render_github(const Report&, const RenderOptions&);

}  // namespace vsim::check
