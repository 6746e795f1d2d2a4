#include "cli/app_errors.hpp"

#include <cctype>

#include "app/warning_line.hpp"
#include "process/output_lines.hpp"

namespace vsim::cli {
namespace {

constexpr std::string_view kNextError = "\u2a2f", kNextWarning = "\u26a0";

// "Error: boom", "TypeError [ERR_X]: …", "PrismaClientKnownRequestError:", "[Error: …]", "Uncaught Error: …"
bool names_error(std::string_view text) {
  if (text.starts_with("Uncaught ")) text.remove_prefix(9);
  if (text.starts_with('[')) text.remove_prefix(1);
  std::size_t end = 0;
  while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_' ||
                               text[end] == '$' || text[end] == '.'))
    ++end;
  const std::string_view word = text.substr(0, end);
  if (!word.ends_with("Error") && !word.ends_with("Exception")) return false;
  const std::string_view rest = text.substr(end);
  return rest.empty() || rest.starts_with(':') || rest.starts_with(" [") || rest.starts_with(']');
}

bool begins_error(std::string_view text) {
  if (text.starts_with(kNextError) || names_error(text)) return true;
  for (const std::string_view begin : {"Failed to compile", "Module not found", "unhandledRejection",
                                       "uncaughtException", "npm ERR!", "npm error", "FATAL ERROR"})
    if (text.starts_with(begin)) return true;
  return false;
}

// "✓ Ready in 612ms", "○ Compiling /x ...", "▲ Next.js 16": indented by one, and of no error.
bool is_of_next(std::string_view text) {
  for (const std::string_view mark : {"\u2713 ", "\u25cb ", "\u25b2 ", "- "})
    if (text.starts_with(mark)) return true;
  return false;
}

}  // namespace

bool AppErrors::shows(const app::OutputLine& line) {
  std::string plain = process::strip_escapes(line.text);
  while (!plain.empty() && (plain.back() == '\n' || plain.back() == '\r')) plain.pop_back();
  std::string_view text = plain;
  std::string_view name;
  if (text.starts_with("[i")) {
    const std::size_t end = text.find("] ");
    if (end != std::string_view::npos) {
      name = text.substr(1, end - 1);
      text.remove_prefix(end + 2);
    }
  }
  const auto found = inside_.find(name);
  bool& inside = found != inside_.end() ? found->second : inside_.emplace(name, false).first->second;
  const std::size_t indent = text.find_first_not_of(" \t");
  if (indent == std::string_view::npos) return inside;  // a code frame has empty lines
  const std::string_view words = text.substr(indent);
  if (begins_error(words)) return inside = true;
  const bool goes_on =
      indent > 0 || words.starts_with('}') || words.starts_with('>') || words.starts_with("./");
  if (inside && goes_on && !words.starts_with(kNextWarning) && !is_of_next(words)) return true;
  return inside = line.error && !app::is_warning_line(words);
}

}  // namespace vsim::cli
