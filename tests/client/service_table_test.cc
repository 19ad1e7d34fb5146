#include "client/service_table.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

TEST(ServiceTableTest, NamesAliasesAndProtocols) {
  const ServiceTable table = ServiceTable::Parse(
      "# comment\n"
      "http\t\t80/tcp\t\twww  # WWW\n"
      "domain 53/tcp\n"
      "domain 53/udp\n"
      "\n"
      "http 8080/tcp\n"
      "zero 0/tcp\r\n"
      "last 65535/sctp alias");
  EXPECT_EQ(table.Port("http", "tcp"), 80) << "the first line holds";
  EXPECT_EQ(table.Port("www", "tcp"), 80);
  EXPECT_EQ(table.Port("http", "udp"), std::nullopt);
  EXPECT_EQ(table.Port("HTTP", "tcp"), std::nullopt);
  EXPECT_EQ(table.Port("domain", "udp"), 53);
  EXPECT_EQ(table.Port("zero", "tcp"), 0);
  EXPECT_EQ(table.Port("alias", "sctp"), 65535);
  EXPECT_EQ(table.Port("80/tcp", "tcp"), std::nullopt);
  EXPECT_EQ(table.Port("", "tcp"), std::nullopt);
}

TEST(ServiceTableTest, LinesThatAreNotAsTheyShouldBeAreLeftOut) {
  const ServiceTable table = ServiceTable::Parse(
      "a\nb 80\nc /tcp\nd 80/\ne 65536/tcp\nf -1/tcp\ng x/tcp\n#h 80/tcp\ni # 80/tcp\ngood 1/tcp");
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "#h", "h", "i"}) {
    EXPECT_EQ(table.Port(name, "tcp"), std::nullopt) << name;
  }
  EXPECT_EQ(table.Port("good", "tcp"), 1);
}

// Either the file has them or they are built in.
TEST(ServiceTableTest, TheSystemKnowsTheCommonOnes) {
  const ServiceTable table = ServiceTable::OfSystem();
  EXPECT_EQ(table.Port("http", "tcp"), 80);
  EXPECT_EQ(table.Port("https", "tcp"), 443);
  EXPECT_EQ(table.Port("ftp", "tcp"), 21);
}

}  // namespace
}  // namespace sockgate
