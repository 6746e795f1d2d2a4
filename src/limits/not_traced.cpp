#include "limits/not_traced.hpp"

#include <fmt/format.h>

namespace vsim::limits::not_traced {

std::string entry(const Read& r) {
  return fmt::format("outputFileTracingIncludes: {{ '{}': ['./{}{}'] }}", r.route, r.path,
                     r.directory ? "/**/*" : "");
}

Verdict told(const profile::Profile& p, const Read& r, std::string_view route, std::string_view file) {
  Verdict v;
  v.code = Code::sim_file_not_traced;
  v.enforced = p.disk_reads.value == profile::Strictness::enforce;
  v.limit_key = "disk.reads";
  v.provenance = &p.disk_reads.from;
  v.limit = "a function has the files that Next's tracing finds in its code";
  v.measured =
      fmt::format("{} of {} at {}, which {}: ENOENT of /var/task/{} there", r.what, r.path, r.at,
                  r.excluded ? "outputFileTracingExcludes keeps out" : "tracing does not find", r.path);
  v.route = route;
  v.file = r.at.empty() ? file : r.at;
  const bool is_public = r.path.starts_with("public/");
  v.fix =
      r.excluded
          ? "Take it out of `outputFileTracingExcludes` in next.config."
          : fmt::format(
                "In next.config: `{}` (below `experimental` in 14). Or write the path where it is read as "
                "`path.join(process.cwd(), 'folder', name)`, which tracing follows.{}",
                entry(r), is_public ? " public/ is served by the CDN and is in no function by itself." : "");
  return v;
}

}  // namespace vsim::limits::not_traced
