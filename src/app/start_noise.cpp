#include "app/start_noise.hpp"

#include <cctype>

#include "app/warning_line.hpp"
#include "process/output_lines.hpp"

namespace vsim::app {
namespace {

constexpr std::size_t kMost = 500;  // lines that are remembered; more is no noise of a start

// Without what differs from one process to the next: escapes, and the number in "(node:4711)".
std::string essence(std::string_view line) {
  std::string text = process::strip_escapes(line);
  const std::size_t from = text.find_first_not_of(" \t\r\n");
  text.erase(0, from == std::string::npos ? text.size() : from);
  if (!text.starts_with("(node:")) return text;
  std::size_t end = 6;
  while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
  return text.erase(6, end - 6);
}

}  // namespace

StartNoise::Show StartNoise::look(std::string_view line, bool error) {
  std::string text = essence(line);
  if (text.empty() || (error && !is_warning_line(text))) return Show::yes;
  if (seen_.contains(text)) {
    if (noted_) return Show::no;
    noted_ = true;
    return Show::note;
  }
  if (seen_.size() < kMost) seen_.insert(std::move(text));
  return Show::yes;
}

}  // namespace vsim::app
