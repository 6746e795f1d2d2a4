#include "limits/tmp_files.hpp"

#include <catch2/catch.hpp>

using vsim::limits::TmpFiles;

TEST_CASE("tmp_files: what one instance wrote is elsewhere for every other, and never for itself") {
  TmpFiles files;
  CHECK(files.elsewhere(1, "/tmp/a") == std::nullopt);
  files.wrote(1, "/tmp/a");
  CHECK(files.elsewhere(2, "/tmp/a") == 1u);
  CHECK(files.elsewhere(1, "/tmp/a") == std::nullopt);
  CHECK(files.elsewhere(2, "/tmp/ab") == std::nullopt);
  files.wrote(3, "/tmp/a");
  CHECK(files.elsewhere(2, "/tmp/a") == 3u);
}

TEST_CASE("tmp_files: a folder is there where something was put into it") {
  TmpFiles files;
  files.wrote(1, "/tmp/up/a");
  CHECK(files.elsewhere(2, "/tmp/up") == 1u);
  CHECK(files.elsewhere(2, "/tmp/u") == std::nullopt);
}

TEST_CASE("tmp_files: what was taken away again is nowhere, nor is it missed by who took it away") {
  TmpFiles files;
  files.wrote(1, "/tmp/up/a");
  files.wrote(2, "/tmp/b");
  files.removed(1, "/tmp/up");
  files.removed(1, "/tmp/b");  // another's
  CHECK(files.elsewhere(3, "/tmp/up/a") == std::nullopt);
  CHECK(files.elsewhere(3, "/tmp/b") == 2u);
  files.wrote(1, "/tmp/up/a");
  CHECK(files.elsewhere(3, "/tmp/up/a") == 1u);
}

TEST_CASE("tmp_files: what a build writes is there for what else the build makes, and for no function") {
  TmpFiles files;
  files.wrote(1, "/tmp/made", true);
  files.wrote(1, "/tmp/kept");
  CHECK(files.elsewhere(2, "/tmp/made", true) == std::nullopt);
  CHECK(files.elsewhere(2, "/tmp/made") == 1u);
  CHECK(files.elsewhere(2, "/tmp/kept", true) == 1u);
}

TEST_CASE("tmp_files: the oldest are forgotten") {
  TmpFiles files;
  for (int i = 0; i < 5000; ++i) files.wrote(1, "/tmp/" + std::to_string(i));
  CHECK(files.elsewhere(2, "/tmp/0") == std::nullopt);
  CHECK(files.elsewhere(2, "/tmp/4999") == 1u);
}
