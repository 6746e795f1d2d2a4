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
  for (const char* name :
       {"token",           "session",       "session_id",      "sid",   "PHPSESSID", "SAMLResponse",
        "ticket",          "bearer",        "cookie",          "hmac",  "pw",        "pin",
        "passphrase",      "csrf_token",    "nonce",           "state", "dsn",       "apiKey",
        "X-Amz-Signature", "code_verifier", "client_assertion"}) {
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
  CHECK(masked("/a?u=//ann:pw@host/") == "/a?u=***");
  CHECK(masked("/a?u=%2F%2Fann%3Apw%40host") == "/a?u=***");
  CHECK(masked("/a?u=x//@ann/post&v=//ann@host") == "/a?u=x//@ann/post&v=//ann@host");
}

TEST_CASE("a secret by its form, in JSON, in parameters of the path") {
  const std::string jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
  CHECK(masked("/a?x=" + jwt) == "/a?x=***");
  CHECK(masked("/a?x=ghp_0123456789abcdefghij") == "/a?x=***");
  CHECK(masked("/a?x=sk-learn") == "/a?x=sk-learn");
  CHECK(masked("/trpc/x?input=%7B%22password%22%3A%22abc%22%7D") == "/trpc/x?input=***");
  CHECK(masked("/trpc/x?input=%7B%22name%22%3A%22abc%22%7D") == "/trpc/x?input=%7B%22name%22%3A%22abc%22%7D");
  CHECK(masked("/a;jsessionid=1A2B/b;v=1?x=1") == "/a;jsessionid=***/b;v=1?x=1");
  CHECK(masked("http://ann:abc@localhost/a") == "http://***@localhost/a");
  CHECK(masked("/@ann/post") == "/@ann/post");
  CHECK(masked("/a;v=1?u=https://ann:pw@host/") == "/a;v=1?u=***");
  CHECK(masked("/a?q=is:open+12:30+http://x:80/") == "/a?q=is:open+12:30+http://x:80/");
  CHECK(masked("/a?passcode=1234&magic_link=1&totp=123456&mfa=1") ==
        "/a?passcode=***&magic_link=1&totp=***&mfa=1");
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
  using vsim::event::mask_word;
  CHECK(mask_word("Authorization: Bearer abc def", "-H") == "Authorization: ***");
  CHECK(mask_word("--header=X-Api-Key: abc", "") == "--header=X-Api-Key: ***");
  CHECK(mask_word("ann:abc", "-u") == "ann:***");
  CHECK(mask_word("--env=TOKEN=abc", "") == "--env=TOKEN=***");
  CHECK(mask_word("/p:Password=abc", "") == "/p:Password=***");
  CHECK(mask_word("cd x && API_KEY=abc npm test", "-c") == "cd x && API_KEY=*** npm test");
  CHECK(mask_word("export TOKEN='a b' X=1; npm test", "-c") == "export TOKEN='***' X=1; npm test");
  CHECK(mask_word("mytool --api-key abc --headed", "-c") == "mytool --api-key *** --headed");
  CHECK(mask_word("curl -H \"Authorization: Bearer abc\" http://x/", "-c") ==
        "curl -H \"Authorization: ***\" http://x/");
  CHECK(mask_word("{\"user\":\"ann\",\"password\":\"abc\",\"pin\": 12}", "-d") ==
        "{\"user\":\"ann\",\"password\":\"***\",\"pin\": ***}");
  CHECK(mask_word("curl -d {\\\"token\\\":\\\"abc\\\"}", "-c") == "curl -d {\\\"token\\\":\\\"***\\\"}");
  CHECK(mask_word("A=postgres://a:b@c B=redis://:d@e/", "") == "A=postgres://***@c B=redis://***@e/");
  CHECK(mask_word("http://x/?next=%2Fcb%3Ftoken%3Dabc", "") == "http://x/?next=***");
  CHECK(mask_word("echo ghp_0123456789abcdefghij", "-c") == "echo ***");
  // What is hidden may have held the slash that ended the user info.
  CHECK(mask_word("x://u token: a/b@h c://saml:a/b@h", "") == "x://u token: ***");
  CHECK(mask_word("c://saml:a/b`x@h", "") == "c://***@h");
  for (const char* word :
       {"auth: login works", "code: 5", "test/auth.spec.ts:12", "http://localhost:3000/a:b", "playwright",
        "NODE_ENV=test", "--reporter=list", "a=b", "-k", "", "if [ $key = 1 ]"})
    CHECK(vsim::event::mask_word(word, "npx") == word);
}

TEST_CASE("mask_field: header fields as they may be shown") {
  using vsim::event::mask_field;
  CHECK(mask_field("Cookie", "sid=abc; theme=dark;x") == "sid=***; theme=***;***");
  CHECK(mask_field("set-cookie", "sid=abc; Path=/; HttpOnly") == "sid=***; Path=/; HttpOnly");
  CHECK(mask_field("Authorization", "Bearer abc.def") == "Bearer ***");
  CHECK(mask_field("authorization", "abc") == "***");
  CHECK(mask_field("X-Api-Key", "abc") == "***");
  CHECK(mask_field("x-csrf-token", "abc") == "***");
  CHECK(mask_field("Referer", "http://localhost:3000/cb?code=abc&page=2") ==
        "http://localhost:3000/cb?code=***&page=2");
  CHECK(mask_field("Location", "/next?token=abc") == "/next?token=***");
  CHECK(mask_field("X-Upstream", "https://user:secret@db.example") == "https://***@db.example");
  CHECK(mask_field("Access-Control-Allow-Credentials", "true") == "true");
  CHECK(mask_field("Accept", "text/html, */*;q=0.8") == "text/html, */*;q=0.8");
  CHECK(mask_field("Cookie", "") == "");
}
