#include "agent/dispatch.hpp"

#include <catch2/catch.hpp>

using namespace vsim::agent;

TEST_CASE("Dispatch: a line that says which function, then the head for it") {
  const std::string head = "GET /a?b=1 HTTP/1.1\r\nHost: x\r\n";
  const std::string text =
      R"({"page":"/a/[b]/page","kind":"APP_PAGE","runtime":"edge","static":true,"file":"/app/a/page.tsx","generation":7})"
      "\n" +
      head;
  const auto d = parse_dispatch(text);  // its head is a view into the text
  REQUIRE(d);
  CHECK(d->page == "/a/[b]/page");
  CHECK(d->kind == "APP_PAGE");
  CHECK(d->runtime == "edge");
  CHECK(d->file == "/app/a/page.tsx");
  CHECK(d->is_static);
  CHECK(d->generation == 7);
  CHECK(d->head == "GET /a?b=1 HTTP/1.1\r\nHost: x\r\n");
}

TEST_CASE("Dispatch: what is not one is refused") {
  const std::string line = R"({"page":"/a","kind":"PAGES"})";
  CHECK(parse_dispatch(line + "\nGET / HTTP/1.1\r\n"));
  for (const std::string& text :
       {std::string(), line, line + "\n", line + "\nGET / HTTP/1.1",
        line + "\nGET / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n", std::string("{}\nGET / HTTP/1.1\r\n"),
        std::string("[]\nGET / HTTP/1.1\r\n"), std::string("{\nGET / HTTP/1.1\r\n"),
        std::string(R"({"page":3})") + "\nGET / HTTP/1.1\r\n"})
    CHECK_FALSE(parse_dispatch(text));
}

TEST_CASE("Dispatch: in the field itself for HEAD; only with the token") {
  CHECK(dispatch_field("X-Vsim-Dispatch", "t0k", "t0k") == "");
  CHECK(dispatch_field("x-vsim-dispatch", "t0k aGVsbG8=", "t0k") == "hello");
  CHECK(dispatch_field("x-vsim-dispatch", "t0k aGVsbG8hIQ==", "t0k") == "hello!!");
  CHECK_FALSE(dispatch_field("x-vsim-dispatch", "t0k a b", "t0k"));
  CHECK_FALSE(dispatch_field("x-vsim-dispatch", "t0kaGVsbG8=", "t0k"));
  CHECK_FALSE(dispatch_field("x-vsim-dispatch", "other", "t0k"));
  CHECK_FALSE(dispatch_field("x-vsim-again", "t0k", "t0k"));
  CHECK_FALSE(dispatch_field("x-vsim-dispatch", "", ""));
}

TEST_CASE("Dispatch: words of ours need the token") {
  CHECK(is_ours("X-Vsim-Again", "t0k", "x-vsim-again", "t0k"));
  CHECK_FALSE(is_ours("x-vsim-again", "t0k ", "x-vsim-again", "t0k"));
  CHECK_FALSE(is_ours("x-vsim-again", "", "x-vsim-again", ""));
}

TEST_CASE("Dispatch: a page's name fits into a list in a field") {
  CHECK(page_field("/api/[id]/route") == "/api/[id]/route");
  CHECK(page_field("/a,b%/\xc3\xa9\r\n") == "/a%2Cb%25/%C3%A9%0D%0A");
}
