#include "limits/method.hpp"

#include <catch2/catch.hpp>

using namespace vsim::limits;

TEST_CASE("methods: CONNECT and TRACE only are refused") {
  for (const char* name : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "trace"})
    CHECK(method::admits(name));
  CHECK_FALSE(method::admits("CONNECT"));
  CHECK_FALSE(method::admits("TRACE"));
  CHECK(method::verdict("TRACE").code == Code::invalid_request_method);
  CHECK(method::verdict("TRACE").measured == "TRACE");
}
