#include "tool/target.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

std::string Parsed(const std::string& text) {
  const auto target = Target::Parse(text);
  return target.ok() ? target->ToString() : absl::StrCat("? ", target.status().message());
}

TEST(TargetTest, ReadsUrlsAsLibcurlDoes) {
  EXPECT_EQ(Parsed("https://www.Example.com/a?b#c"), "www.example.com:443");
  EXPECT_EQ(Parsed("http://example.com"), "example.com:80");
  EXPECT_EQ(Parsed("ftp://example.com/x"), "example.com:21");
  EXPECT_EQ(Parsed("https://user:secret@example.com:8443/"), "example.com:8443");
  EXPECT_EQ(Parsed("https://[2001:db8::1]:8443/"), "[2001:db8::1]:8443");
  EXPECT_EQ(Parsed("http://b\xc3\xbc"
                   "cher.example/"),
            "xn--bcher-kva.example:80");
  // What stands before the @ is no host.
  EXPECT_EQ(Parsed("http://example.com@127.0.0.1/"), "127.0.0.1:80");
}

TEST(TargetTest, ReadsHostsAndAddresses) {
  EXPECT_EQ(Parsed("Example.COM.:443"), "example.com:443");
  EXPECT_EQ(Parsed("192.0.2.1:80"), "192.0.2.1:80");
  EXPECT_EQ(Parsed("[2001:DB8::1]:80"), "[2001:db8::1]:80");
  EXPECT_EQ(Parsed("[::ffff:192.0.2.1]:80"), "192.0.2.1:80");
  EXPECT_EQ(Parsed("unix:/run/x"), "unix:/run/x");
}

// Each way to write 127.0.0.1 is that address, wherever it stands.
TEST(TargetTest, AnOddSpellingIsTheAddress) {
  for (const char* host : {"2130706433", "0x7f.1", "0177.0.0.1", "127.1", "127.0.0.1.",
                           "0x7f000001", "[::ffff:7f00:1]"}) {
    EXPECT_EQ(Parsed(absl::StrCat(host, ":80")), "127.0.0.1:80") << host;
    EXPECT_EQ(Parsed(absl::StrCat("http://", host, "/")), "127.0.0.1:80") << host;
  }
  EXPECT_EQ(Parsed("http://127%2e0%2e0%2e1/"), "127.0.0.1:80");
  EXPECT_EQ(Parsed("\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:80"), "127.0.0.1:80");
}

TEST(TargetTest, SaysWhatToWrite) {
  const struct {
    const char* text;
    const char* error;
  } kTable[] = {
      {"", "has no port"},
      {"example.com", "has no port"},
      {"2001:db8::1", "has no port"},
      {"2001:db8::1:80", "has no port"},
      {"example.com:", "is no port"},
      {"example.com:0", "is no port"},
      {"example.com:65536", "is no port"},
      {"example.com:http", "is no port"},
      {"example.com:-1", "is no port"},
      {"unix:run/x", "is no absolute path"},
      {"http://", "is not a URL"},
      {"http://[fe80::1%25eth0]/", "has a zone id"},
      {"http://1.2.3.4.5/", "number"},
      {"exam ple.com:80", "white space"},
  };
  for (const auto& row : kTable) {
    const std::string parsed = Parsed(row.text);
    EXPECT_EQ(parsed.substr(0, 2), "? ") << row.text << ": " << parsed;
    EXPECT_NE(parsed.find(row.error), std::string::npos) << row.text << ": " << parsed;
  }
}

}  // namespace
}  // namespace sockgate
