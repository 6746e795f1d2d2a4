// What is asked of /_vercel-sim/api/ (the first line: path and query) about a run whose events are the lines
// behind it: the answer is JSON whatever is asked, nothing that is asked for is an event of its own, and what
// is no query is refused in words.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "app/api.hpp"
#include "event/json_codec.hpp"
#include "fuzz/require.hpp"

using namespace vsim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = [&] {
    const std::string_view out = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(out.size() + 1, text.size()));
    return out;
  };
  const std::string_view asked = line();
  app::ApiWorld world;
  world.run = "run";
  while (!text.empty()) {
    const auto read = event::decode(line());
    if (!read) continue;
    std::string encoded;
    event::encode(encoded, read->stamp(), read->event());
    if (world.events.size() % 4 == 3) world.kept.emplace_back(encoded.substr(0, encoded.size() - 1));
    world.events.push_back(std::make_shared<const std::string>("data: " + encoded + "\n"));
  }
  const std::string_view path = asked.substr(0, asked.find('?'));
  const std::string_view query = asked.substr(std::min(path.size() + 1, asked.size()));
  const app::ApiAnswer answer = app::ask_api(path, query, world);
  boost::system::error_code error;
  const boost::json::value body = boost::json::parse(answer.body, error);
  require(!error && body.is_object(), "an answer that is no JSON");
  require(answer.status == 200 || !body.as_object().at("error").as_string().empty(),
          "refused without a word");
  if (answer.status != 200) return 0;
  for (const char* name : {"events", "invocations"})
    if (const boost::json::value* list = body.as_object().if_contains(name))
      require(list->as_array().size() <= world.events.size(), "more events than there are");
  return 0;
}
