#include "limits/not_traced.hpp"
#include "limits/of_setting.hpp"

#include <fmt/format.h>

namespace vsim::limits::not_traced {

namespace {

// What is of the developer's machine alone, by its name (src/agent/shared/trace.cjs): no entry mends it.
constexpr std::string_view kEnvFile = ".env";
constexpr std::string_view kRepository = ".git";

std::string fix(const Read& r) {
  if (r.excluded) return "Take it out of `outputFileTracingExcludes` in next.config.";
  if (r.path.starts_with(kEnvFile))
    return "Give its variables to the project (`vercel env add`, or its settings) and read `process.env`: "
           "Next has put them there in development already.";
  if (r.path == kRepository || r.path.starts_with(std::string(kRepository) + "/"))
    return "Read `process.env.VERCEL_GIT_COMMIT_SHA`, `VERCEL_GIT_COMMIT_REF` and their like, or write down "
           "at build what is needed of the repository.";
  return fmt::format(
      "In next.config: `{}` (below `experimental` in 14). Or write the path where it is read as "
      "`path.join(process.cwd(), 'folder', name)`, which tracing follows.{}",
      entry(r),
      r.path.starts_with("public/") ? " public/ is served by the CDN and is in no function by itself." : "");
}

std::string_view why(const Read& r) {
  if (r.excluded) return "outputFileTracingExcludes keeps out";
  return r.path.starts_with(kEnvFile) ? "is in no deployment" : "tracing does not find";
}

}  // namespace

std::string entry(const Read& r) {
  return fmt::format("outputFileTracingIncludes: {{ '{}': ['./{}{}'] }}", r.route, r.path,
                     r.directory ? "/**/*" : "");
}

Verdict told(const profile::Profile& p, const Read& r, std::string_view route, std::string_view file) {
  Verdict v =
      of_setting(Code::sim_file_not_traced, "disk.reads", p.disk_reads, route, r.at.empty() ? file : r.at);
  v.enforced = p.disk_reads.value == profile::Strictness::enforce;
  v.limit = "a function has the files that Next's tracing finds in its code";
  v.measured = fmt::format("{} of {} at {}, which {}: ENOENT of /var/task/{} there", r.what, r.path, r.at,
                           why(r), r.path);
  v.fix = fix(r);
  return v;
}

}  // namespace vsim::limits::not_traced
