// Violations that are meant: the `expect:` entries of a vercel-sim.yaml, and which of them struck. Pure.
// Called by test.cpp for each violation, and for the stale ones at the end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "limits/code.hpp"
#include "routes/glob.hpp"

namespace vsim::cli {

struct Expectation {
  limits::Code code = limits::Code::none;
  // "app/api/slow/route.ts" or a glob over files; with a slash in front a route ("/api/slow", "/api/*").
  std::string route;
  std::string reason;
  int line = 0;  // in vercel-sim.yaml
};

class Expectations {
 public:
  Expectations() = default;
  explicit Expectations(std::vector<Expectation> entries);

  // The entry that says this violation is meant, the first one in the file; null: none does. Counts the hit.
  // `file` may end in ":line"; `route` is Next's pattern, `path` the request's where no route is known.
  const Expectation* match(limits::Code code, std::string_view route, std::string_view file,
                           std::string_view path);
  std::size_t size() const { return entries_.size(); }
  std::vector<const Expectation*> stale() const;  // those that never matched

 private:
  struct Entry {
    Expectation said;
    routes::Glob glob;
    std::size_t hits = 0;
  };
  std::vector<Entry> entries_;
};

}  // namespace vsim::cli
