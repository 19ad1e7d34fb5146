#include "broker/resolver/hosts_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace sockgate {
namespace {

std::string Addresses(const HostsTable& table, absl::string_view name) {
  const auto* found = table.Find(name);
  if (found == nullptr) return "none";
  std::string text;
  for (const IpAddress& address : *found) text += address.ToString() + " ";
  return text;
}

TEST(HostsTable, ReadsWhatHostsFilesHave) {
  const auto table = HostsTable::Parse(
      "# comment\n"
      "192.0.2.1\tOne.Example one # not this\r\n"
      "  2001:db8::1   one.example.\n"
      "192.0.2.1 one.example\n"
      "\n"
      "192.0.2.2\n"
      "not-an-address two.example\n"
      "192.0.2.3 last");
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(Addresses(*table, "one.example"), "192.0.2.1 2001:db8::1 ");
  EXPECT_EQ(Addresses(*table, "one"), "192.0.2.1 ");
  EXPECT_EQ(Addresses(*table, "last"), "192.0.2.3 ");
  EXPECT_EQ(Addresses(*table, "not"), "none");
  EXPECT_EQ(Addresses(*table, "two.example"), "none");
  EXPECT_EQ(table->size(), 3U);
}

TEST(HostsTable, LocalhostIsLoopbackWhateverTheFileSays) {
  const auto table = HostsTable::Parse("192.0.2.1 localhost a.localhost\n");
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(Addresses(*table, "localhost"), "127.0.0.1 ::1 ");
  EXPECT_EQ(Addresses(*table, "a.localhost"), "127.0.0.1 ::1 ");
  EXPECT_EQ(Addresses(*table, "notlocalhost"), "none");
}

TEST(HostsTable, AddressesAreBounded) {
  std::string text;
  for (int i = 1; i <= 100; ++i) text += "192.0.2." + std::to_string(i) + " many\n";
  const auto table = HostsTable::Parse(text);
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->Find("many")->size(), 32U);
}

TEST(HostsTable, TooManyNamesAreAnErrorAndNotACut) {
  std::string text;
  for (size_t i = 0; i <= kMaxHostsNames; ++i) text += "0.0.0.0 n" + std::to_string(i) + "\n";
  EXPECT_EQ(HostsTable::Parse(text).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(HostsTable, AMissingFileIsEmptyAndAnUnreadableOneAnError) {
  const std::string folder = ::testing::TempDir();
  const auto missing = HostsTable::Load(folder + "/no_such_file");
  ASSERT_TRUE(missing.ok());
  EXPECT_EQ(missing->size(), 0U);
  EXPECT_FALSE(HostsTable::Load(folder).ok());
  std::ofstream(folder + "/hosts") << "192.0.2.1 one\n";
  EXPECT_EQ(Addresses(*HostsTable::Load(folder + "/hosts"), "one"), "192.0.2.1 ");
}

}  // namespace
}  // namespace sockgate
