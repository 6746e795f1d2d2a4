// File patterns as npm's minimatch@3.1.2 with default options understands them: that is what Vercel's
// builders match `functions` of vercel.json with (@vercel/build-utils 14.21.1 bundles it). Its odd corners
// are part of the contract; a differential test holds us to the package itself. Pure. Matching is memoised:
// time is bounded by pattern length times path length, where the original backtracks without bound.
#pragma once

#include <memory>
#include <string_view>

namespace vsim::routes {

class Glob {
 public:
  // More alternatives than this from braces make a pattern too complex (the original would expand them all).
  static constexpr std::size_t kMaxAlternatives = 10'000;
  static constexpr std::size_t kMaxPatternLength = 4096;  // bytes; Vercel allows 256

  explicit Glob(std::string_view pattern);
  ~Glob();
  Glob(Glob&&) noexcept;
  Glob& operator=(Glob&&) noexcept;

  bool matches(std::string_view path) const;
  bool too_complex() const;  // then it matches nothing

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace vsim::routes
