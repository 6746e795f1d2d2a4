#include "limits/tmp_files.hpp"

#include <algorithm>

namespace vsim::limits {
namespace {

bool lies_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

void TmpFiles::wrote(Instance by, std::string_view path, bool at_build) {
  const auto same = [&](const File& f) { return f.by == by && f.path == path; };
  const auto it = std::find_if(files_.begin(), files_.end(), same);
  if (it != files_.end()) files_.erase(it);
  if (files_.size() == kMost) files_.pop_front();
  files_.push_back({by, std::string(path), at_build});
}

void TmpFiles::removed(Instance by, std::string_view path) {
  for (File& f : files_)
    if (f.by == by && lies_in(f.path, path)) f.gone = true;
}

std::optional<TmpFiles::Instance> TmpFiles::elsewhere(Instance asks, std::string_view path,
                                                      bool at_build) const {
  std::optional<Instance> found;
  for (const File& f : files_) {
    if (!lies_in(f.path, path)) continue;
    if (f.by == asks) return std::nullopt;
    if (!f.gone && !(at_build && f.at_build)) found = f.by;
  }
  return found;
}

}  // namespace vsim::limits
