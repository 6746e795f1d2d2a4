#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <vector>

#include "cli/run.hpp"
#include "profile/render.hpp"
#include "profile/schema.hpp"
#include "profile/switch.hpp"

namespace vsim::cli {
namespace {

TEST_CASE("The profiles command for tools: JSON that says what the text says") {
  std::vector<profile::Profile> all;
  for (const auto name : profile::kBuiltinProfiles) all.push_back(load(std::string(name), {}).value());
  const profile::Profile &hobby = all[0], &fluid = all[3];
  const auto list = boost::json::parse(profile::render_list_json(all));
  REQUIRE(list.at("profiles").as_array().size() == all.size());
  const auto& one = list.at("profiles").as_array()[3];
  CHECK(one.at("name") == "hobby-fluid");
  CHECK(one.at("plan") == "hobby");
  CHECK(one.at("compute") == "fluid");
  CHECK(one.at("title").as_string() == fluid.title);

  const auto diff = boost::json::parse(profile::render_diff_json(hobby, fluid));
  CHECK(diff.at("from") == "hobby");
  CHECK(diff.at("to") == "hobby-fluid");
  const auto& differs = diff.at("differs").as_object();
  CHECK(differs.size() == differences(hobby, fluid).size());
  const auto& most = differs.at("duration.max");
  CHECK(most.at("from").at("value") == "60s");
  CHECK(most.at("to").at("value") == "300s");
  CHECK(most.at("to").at("as_of").as_string() == fluid.duration_max.from.as_of);
  const auto same = boost::json::parse(profile::render_diff_json(hobby, hobby));
  CHECK(same.at("differs").as_object().empty());
}

}  // namespace
}  // namespace vsim::cli
