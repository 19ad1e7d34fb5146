// Linking cannot silently drop the name shim: programs linked in many ways, each run.

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

namespace sockgate {
namespace {

constexpr char kFolder[] = "tests/client/link/";
constexpr char kLibrary[] = "tests/client/link/libarming_shared.so";

std::string Output(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  char buffer[256];
  while (pipe != nullptr && std::fgets(buffer, sizeof(buffer), pipe.get()) != nullptr) {
    text += buffer;
  }
  return text;
}

constexpr char kUnarmed[] = "unarmed: fetch 7 localhost 0 asked 0\n";
constexpr char kReached[] =
    "unarmed: fetch 7 localhost 0 asked 0\n"
    "armed: fetch 7 6 localhost -2 asked 3\n"
    "disarmed: localhost 0 asked 3\n";

class LinkTest : public ::testing::TestWithParam<const char*> {};

TEST_P(LinkTest, LibcurlsLookupsReachTheShimWhenArmedAndLibcOtherwise) {
  EXPECT_EQ(Output(std::string(kFolder) + GetParam()), kReached);
}

INSTANTIATE_TEST_SUITE_P(Ways, LinkTest,
                         ::testing::Values("archive_bfd", "archive_bfd_gc_sections",
                                           "archive_bfd_as_needed", "archive_lld",
                                           "archive_lld_gc_sections", "archive_lld_as_needed",
                                           "archive_gold_gc_sections", "shared_bfd",
                                           "shared_bfd_gc_sections", "shared_bfd_as_needed",
                                           "shared_lld", "shared_lld_gc_sections",
                                           "shared_lld_as_needed"),
                         [](const auto& way) { return std::string(way.param); });

TEST(PreloadTest, APreloadedLibrary) {
  const std::string program = std::string(kFolder) + "preloaded";
  EXPECT_EQ(Output(std::string("LD_PRELOAD=./") + kLibrary + " " + program), kReached);
  EXPECT_EQ(Output(program), "no sockgate\n");
}

// Loaded too late, the shim is behind libc: arming says so instead of leaving names unresolved.
TEST(DlopenTest, ALibraryLoadedTooLateSaysSo) {
  EXPECT_EQ(Output(std::string(kFolder) + "loaded ./" + kLibrary),
            std::string(kUnarmed) + "not armed: FAILED_PRECONDITION:\n");
}

}  // namespace
}  // namespace sockgate
