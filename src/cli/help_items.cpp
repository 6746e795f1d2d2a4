#include "cli/help_items.hpp"

#include <algorithm>

namespace vsim::cli {
namespace {

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string_view trimmed(std::string_view s) {
  const std::size_t a = s.find_first_not_of(' ');
  return a == std::string_view::npos ? std::string_view() : s.substr(a);
}

// "-p, --port N" or "--host [ADDR]"; false for a line that only lists names.
bool read_names(std::string_view head, HelpItem& item) {
  while (head.starts_with('-')) {
    const std::size_t end = std::min(head.find_first_of(", "), head.size());
    item.names.emplace_back(head.substr(0, end));
    const bool comma = end < head.size() && head[end] == ',';
    head = trimmed(head.substr(std::min(end + 1, head.size())));
    if (!comma) break;
  }
  item.value = std::string(head);
  return !item.names.empty() && !head.starts_with('-');
}

}  // namespace

std::vector<std::string> HelpItem::words() const {
  std::vector<std::string> out;
  std::string_view rest = text;
  // Up to what is no word any more: ":", " (", " only …".
  while (true) {
    const std::size_t end = std::min(rest.find_first_of(" ,:("), rest.size());
    const std::string_view word = rest.substr(0, end + (rest.substr(end).starts_with(":N") ? 2 : 0));
    if (word.empty()) break;
    out.emplace_back(word);
    rest.remove_prefix(word.size());
    if (!rest.starts_with(" | ")) break;
    rest.remove_prefix(3);
  }
  return out.size() > 1 ? out : std::vector<std::string>();
}

std::vector<HelpItem> help_items(HelpTopic topic) {
  std::vector<HelpItem> out;
  std::string section;
  bool open = false;  // the last item may go on
  for (const std::string_view line : split_lines(help_text(topic))) {
    if (line.starts_with("examples:")) break;
    if (line.starts_with("  -")) {
      const std::size_t gap = line.find("  ", 2);
      HelpItem item;
      item.section = section;
      open = gap != std::string_view::npos && read_names(line.substr(2, gap - 2), item);
      if (!open) continue;
      item.text = std::string(trimmed(line.substr(gap)));
      out.push_back(std::move(item));
    } else if (open && line.starts_with("      ")) {
      out.back().text += " " + std::string(trimmed(line));
    } else {
      open = false;
      if (!line.empty() && !line.starts_with(' ')) section = std::string(line);
    }
  }
  return out;
}

std::vector<HelpItem> command_options(HelpTopic topic) {
  std::vector<HelpItem> out = help_items(topic);
  if (topic != HelpTopic::test) return out;
  const std::vector<HelpItem> run = help_items(HelpTopic::run);
  const auto has = [](const HelpItem& i, std::string_view name) {
    return std::find(i.names.begin(), i.names.end(), name) != i.names.end();
  };
  for (const std::string_view name : test_option_names()) {
    if (std::any_of(out.begin(), out.end(), [&](const HelpItem& i) { return has(i, name); })) continue;
    for (const HelpItem& i : run)
      if (has(i, name)) out.push_back(i);
  }
  return out;
}

std::string_view summary(HelpTopic topic) {
  const std::string_view text = help_text(topic);
  const std::string_view line = text.substr(0, text.find('\n'));
  return line.substr(line.find(": ") + 2);
}

}  // namespace vsim::cli
