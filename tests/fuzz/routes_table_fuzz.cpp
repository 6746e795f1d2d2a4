// Names of files as a project may have them, and paths as clients ask for them: lines of file names, an empty
// line, then the path. What is found is one of the functions.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/place.hpp"
#include "fuzz/require.hpp"
#include "routes/app_path.hpp"
#include "routes/resolve.hpp"
#include "routes/route_table.hpp"

using namespace vsim;
using namespace vsim::routes;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4'096) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty()) break;
    names.emplace_back(line);
  }
  const std::string path(text);
  const Conventions conventions = read_conventions(names);
  SourceConfigs configs;
  const Resolved resolved = resolve(conventions, configs, nullptr);
  for (const char* base : {"", "/docs"}) {
    const RouteTable table(resolved.functions, base);
    for (const Function* f : {table.match(path), table.find_page(path, Kind::app_route)})
      if (f != nullptr)
        require(f >= table.functions().data() && f < table.functions().data() + table.functions().size(),
                "a function from nowhere");
  }
  (void)normalize_app_page(path);
  (void)vercel_function_name(path);
  const Place place = parse_place(path);
  require(to_string(place) == path || place.line > 0, "a place that is not what was written");
  require(parse_place(to_string(place)) == place, "a place that is read otherwise again");
  return 0;
}
