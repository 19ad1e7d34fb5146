// Runs each case of the C program in a process of its own, by the shared library; and compares what
// the library exports with what it means to.

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/support/shell.h"

namespace sockgate::testing {
namespace {

constexpr char kLibrary[] = "library/libsockgate.so.0";
constexpr char kMap[] = "library/sockgate.map";

class Case : public ::testing::Test {
 public:
  Case(std::string program, std::string name)
      : program_(std::move(program)), name_(std::move(name)) {}

  void TestBody() override {
    const Ran ran = Shell(absl::StrCat(program_, " ", name_));
    EXPECT_EQ(ran.status, 0) << ran.said;
  }

 private:
  const std::string program_;
  const std::string name_;
};

void RegisterCases(const std::string& suite, const std::string& program) {
  for (const std::string& name : Lines(Shell(program).said)) {
    ::testing::RegisterTest(
        suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
        [program, name]() -> ::testing::Test* { return new Case(program, name); });
  }
}

// What the library defines, with the version of each: "sockgate_resolve@@SOCKGATE_0".
std::set<std::string> Exported() {
  std::set<std::string> exported;
  for (const std::string& line :
       Lines(Shell(absl::StrCat("nm -D --defined-only ", kLibrary)).said)) {
    const std::string name = line.substr(line.rfind(' ') + 1);
    if (name != "SOCKGATE_0") exported.insert(name);
  }
  return exported;
}

TEST(Exports, AreThoseOfTheMapAndTheNameShim) {
  // Without a version, or the loader would not let them answer what asks glibc for a version.
  std::set<std::string> meant = {"getaddrinfo", "freeaddrinfo", "connect", "socket"};
  for (const std::string& line : Lines(FileText(kMap))) {
    absl::string_view name = absl::StripAsciiWhitespace(line);
    if (absl::StartsWith(name, "sockgate_") && absl::ConsumeSuffix(&name, ";")) {
      meant.insert(absl::StrCat(name, "@@SOCKGATE_0"));
    }
  }
  EXPECT_GT(meant.size(), 40U);
  EXPECT_EQ(Exported(), meant);
}

TEST(Exports, HaveTheSonameOfTheirAbi) {
  const Ran ran = Shell(absl::StrCat("readelf -d ", kLibrary, " | grep SONAME"));
  EXPECT_TRUE(absl::StrContains(ran.said, "[libsockgate.so.0]")) << ran.said;
}

}  // namespace
}  // namespace sockgate::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  sockgate::testing::RegisterCases("CApi", "LD_LIBRARY_PATH=library tests/library/c_api_program");
  return RUN_ALL_TESTS();
}
