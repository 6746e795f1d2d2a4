// What `next build` renders once and the platform serves to everyone until the next deployment or a
// revalidation: a page or a GET handler that asks nothing of the request. `next dev` renders it at each
// request, so that what it shows there changes. The instance says what is kept of each answer; here two of
// one address are compared. Pure; asked at the end of each prerendered answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::made_at_build {

struct Made {
  std::string_view key;              // page and address
  std::string_view digest;           // of what a deployment would keep
  std::string_view by;               // what makes it static: "getStaticProps", "dynamic = 'force-static'"
  std::string_view kind;             // "page", "handler", "props"
  Duration every = kForever;         // its `revalidate`; kForever: never
  std::int64_t read_unix_ms = 0;     // newest change of a file of the project that its process has read
  std::vector<std::string> files{};  // compiled, that its process has loaded
};

struct ContentChange {
  Duration after{};  // since the answer that it is compared with
};

class ContentLedger {
 public:
  // The change, if it says something other than before, and neither an edit nor a revalidation lies between.
  // `began`: when its request came.
  std::optional<ContentChange> look(const Made&, TimePoint began, TimePoint now, WallTime wall);
  void edited(const std::vector<std::string>& files);  // compiled anew
  void revalidated(TimePoint now);                     // something was, by a path or a tag
  void clear(TimePoint now) { revalidated(now); }

 private:
  struct Kept {
    std::string digest;
    TimePoint at{};
    WallTime wall{};
    std::vector<std::string> files;
  };
  std::map<std::string, Kept, std::less<>> kept_;
  std::optional<TimePoint> cleared_;
};

// `route` and `file`: of the page.
Verdict changed(const profile::Profile&, const Made&, const ContentChange&, std::string_view route,
                std::string_view file);
// With a `revalidate` it is what was asked for, only later.
bool is_remark(const Made&);
std::string remark(const Made&, const ContentChange&, std::string_view route);

}  // namespace vsim::limits::made_at_build
