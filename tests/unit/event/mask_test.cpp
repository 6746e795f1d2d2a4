#include "event/mask.hpp"

#include <catch2/catch.hpp>

using vsim::event::mask_target;

namespace {

std::string masked(std::string_view target) {
  std::string out;
  mask_target(target, [&](std::string_view piece) { out += piece; });
  return out;
}

}  // namespace

TEST_CASE("a parameter that names a secret keeps its name and loses its value") {
  for (const char* name : {"token", "session", "session_id", "sid", "PHPSESSID", "SAMLResponse", "ticket",
                           "bearer", "cookie", "hmac", "pw", "pin", "passphrase", "csrf_token", "nonce",
                           "state", "dsn", "apiKey", "X-Amz-Signature"}) {
    INFO(name);
    CHECK(masked("/a?x=1&" + std::string(name) + "=s3cret&y=2") ==
          "/a?x=1&" + std::string(name) + "=***&y=2");
    CHECK(masked("/a?x=1;" + std::string(name) + "=s3cret") == "/a?x=1;" + std::string(name) + "=***");
  }
}

TEST_CASE("innocent names and values stay as they came") {
  for (const char* target :
       {"/", "/a?", "/a?x", "/a?keyboard=qwerty&author=ann&spin=1&side=b&united=1&estate=x", "/a?q=100%25",
        "/a?next=%2Fhome%3Ftab%3D2", "/a?url=https%3A%2F%2Fexample.com%2F%40ann%2Fpost",
        "/a?mail=ann%40example.com", "/a?x=1;y=2", "/a?x=%zz%"}) {
    INFO(target);
    CHECK(masked(target) == target);
  }
}

TEST_CASE("an address in a value hides its secrets too, however it is encoded") {
  CHECK(masked("/login?next=%2Fcb%3Ftoken%3Dabc&x=1") == "/login?next=***&x=1");
  CHECK(masked("/login?next=%252Fcb%253Fcode%253Dabc") == "/login?next=***");
  CHECK(masked("/login?next=/cb?token=abc") == "/login?next=***");
  CHECK(masked("/a?" + std::string(200, 'x') + "_token=abc") == "/a?" + std::string(200, 'x') + "_token=***");
  // As it came and as it is read from an events file: the same.
  CHECK(masked("/a?" + std::string(100, 'x') + std::string(20, '\xff') + "y=1") ==
        "/a?" + std::string(100, 'x') + std::string(20, '\xff') + "y=1");
  std::string replaced;
  for (int i = 0; i < 20; ++i) replaced += "\xef\xbf\xbd";
  CHECK(masked("/a?" + std::string(100, 'x') + replaced + "y=1") ==
        "/a?" + std::string(100, 'x') + replaced + "y=1");
  CHECK(masked("/a?db=postgres%3A%2F%2Fann%3Apw%40db.example%2Fx") == "/a?db=***");
  CHECK(masked("/a?u=https://ann:pw@host/") == "/a?u=***");
}

TEST_CASE("mask_word: secrets of a command line") {
  CHECK(vsim::event::mask_word("API_TOKEN=abc", "env") == "API_TOKEN=***");
  CHECK(vsim::event::mask_word("--password=abc", "") == "--password=***");
  CHECK(vsim::event::mask_word("abc", "--api-key") == "***");
  CHECK(vsim::event::mask_word("--headed", "--api-key") == "--headed");
  CHECK(vsim::event::mask_word("abc", "--api-key=x") == "abc");
  CHECK(vsim::event::mask_word("postgres://me:pw@db/x?sslkey=1", "") == "postgres://***@db/x?sslkey=1");
  CHECK(vsim::event::mask_word("http://localhost:3000/?token=a&q=b", "") ==
        "http://localhost:3000/?token=***&q=b");
  for (const char* word :
       {"playwright", "NODE_ENV=test", "--reporter=list", "a=b", "-k", "", "if [ $key = 1 ]"})
    CHECK(vsim::event::mask_word(word, "npx") == word);
}
