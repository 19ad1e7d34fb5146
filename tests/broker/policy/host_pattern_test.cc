#include "broker/policy/host_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Printed(absl::string_view text) {
  const auto pattern = HostPattern::Parse(text);
  return pattern.ok() ? pattern->ToString() : absl::StrCat("error: ", pattern.status().message());
}

bool Matches(absl::string_view pattern, absl::string_view name) {
  return HostPattern::Parse(pattern)->Matches(*HostName::Parse(name));
}

bool Covers(absl::string_view pattern, absl::string_view other) {
  return HostPattern::Parse(pattern)->Covers(*HostPattern::Parse(other));
}

// A name of `size` bytes, none of it a number.
std::string NameOf(size_t size) {
  std::string name(size, 'a');
  for (size_t dot = 63; dot + 1 < size; dot += 64) name[dot] = '.';
  return name;
}

TEST(HostPatternTest, PrintsTheCanonicalForm) {
  EXPECT_EQ(Printed("example.com"), "example.com");
  EXPECT_EQ(Printed("EXAMPLE.com."), "example.com");
  EXPECT_EQ(Printed("*.Example.com"), "*.example.com");
  EXPECT_EQ(Printed("*.example.com."), "*.example.com");
  EXPECT_EQ(Printed("*.com"), "*.com");
  EXPECT_EQ(Printed("localhost"), "localhost");
  EXPECT_EQ(Printed("*._tcp.example.com"), "*._tcp.example.com");
  EXPECT_EQ(Printed("xn--bcher-kva.example"), "xn--bcher-kva.example");
  EXPECT_EQ(HostPattern::Parse("*.Example.com")->name().text(), "example.com");
  EXPECT_TRUE(HostPattern::Parse("*.example.com")->covers_subdomains());
  EXPECT_FALSE(HostPattern::Parse("example.com")->covers_subdomains());
}

TEST(HostPatternTest, ANameMatchesItselfAlone) {
  EXPECT_TRUE(Matches("example.com", "example.com"));
  EXPECT_TRUE(Matches("example.com", "EXAMPLE.COM."));
  EXPECT_FALSE(Matches("example.com", "www.example.com"));
  EXPECT_FALSE(Matches("example.com", "example.org"));
  EXPECT_FALSE(Matches("example.com", "com"));
  EXPECT_FALSE(Matches("example.com", "badexample.com"));
}

TEST(HostPatternTest, AStarMatchesNamesBelowAtAnyDepth) {
  EXPECT_TRUE(Matches("*.example.com", "www.example.com"));
  EXPECT_TRUE(Matches("*.example.com", "WWW.EXAMPLE.COM."));
  EXPECT_TRUE(Matches("*.example.com", "a.b.c.example.com"));
  EXPECT_TRUE(Matches("*.example.com", "_.example.com"));
  EXPECT_TRUE(Matches("*.com", "example.com"));
  EXPECT_FALSE(Matches("*.example.com", "example.com"));
  EXPECT_FALSE(Matches("*.example.com", "badexample.com"));
  EXPECT_FALSE(Matches("*.example.com", "www.badexample.com"));
  EXPECT_FALSE(Matches("*.example.com", "www.example.com.evil.example"));
  EXPECT_FALSE(Matches("*.example.com", "www.example.co"));
  EXPECT_FALSE(Matches("*.example.com", "com"));
  EXPECT_FALSE(Matches("*.com", "com"));
}

TEST(HostPatternTest, CoversWhatTheOtherMatches) {
  const struct {
    const char* pattern;
    const char* other;
    bool covers;
  } kTable[] = {
      {"example.com", "example.com", true},       {"example.com", "www.example.com", false},
      {"example.com", "*.example.com", false},    {"*.example.com", "*.example.com", true},
      {"*.example.com", "a.example.com", true},   {"*.example.com", "a.b.example.com", true},
      {"*.example.com", "*.a.example.com", true}, {"*.example.com", "example.com", false},
      {"*.example.com", "badexample.com", false}, {"*.example.com", "*.badexample.com", false},
      {"*.example.com", "*.com", false},          {"*.a.example.com", "*.example.com", false},
      {"*.com", "*.example.com", true},           {"*.com", "*.org", false},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(Covers(row.pattern, row.other), row.covers) << row.pattern << " " << row.other;
  }
}

TEST(HostPatternTest, SaysWhatToWriteForAStarElsewhere) {
  for (const char* text : {"*foo.com", "foo.*.com", "**.x.com", "*.*.x.com", "x.*", "*.*", "**",
                           "x.com*", "*com", "*.x*", "x*"}) {
    EXPECT_THAT(Printed(text), AllOf(HasSubstr("error: "), HasSubstr("star elsewhere"),
                                     HasSubstr("*.example.com")))
        << text;
  }
}

TEST(HostPatternTest, RefusesWhatCoversEverythingOrNothing) {
  for (const char* text : {"*", "*.", "*.."}) {
    EXPECT_THAT(Printed(text), AllOf(HasSubstr("every name"), HasSubstr("*.example.com"))) << text;
  }
  for (const char* text : {"", "."}) {
    EXPECT_THAT(Printed(text), AllOf(HasSubstr("empty"), HasSubstr("example.com"))) << text;
  }
}

TEST(HostPatternTest, RefusesAddressesInEverySpelling) {
  const struct {
    const char* text;
    const char* address;
  } kTable[] = {
      {"127.0.0.1", "127.0.0.1"},
      {"127.1", "127.0.0.1"},
      {"2130706433", "127.0.0.1"},
      {"0x7f.1", "127.0.0.1"},
      {"0177.0.0.1", "127.0.0.1"},
      {"10.0.0.1.", "10.0.0.1"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"2001:DB8::1", "2001:db8::1"},
      {"[::ffff:10.0.0.1]", "10.0.0.1"},
      {"*.127.0.0.1", "127.0.0.1"},
      {"*.1", "0.0.0.1"},
      {"*.[::1]", "::1"},
  };
  for (const auto& row : kTable) {
    EXPECT_THAT(Printed(row.text), AllOf(HasSubstr("cidr"), HasSubstr(row.address))) << row.text;
  }
  EXPECT_THAT(Printed("1.2.3.4.5"), HasSubstr("four parts"));
  EXPECT_THAT(Printed("*.09"), HasSubstr("octal"));
  EXPECT_THAT(Printed("fe80::1%eth0"), HasSubstr("zone id"));
}

TEST(HostPatternTest, SaysWhatToWriteForOtherSlips) {
  const struct {
    std::string text;
    const char* message;
  } kTable[] = {
      {".example.com", "*.example.com"},
      {"..example.com", "dot"},
      {"*..example.com", "empty label"},
      {"a..b", "empty label"},
      {"https://x.com/", "URL"},
      {"https://*.x.com/", "URL"},
      {"x.com/", "path"},
      {"x.com:443", "port"},
      {"*.x.com:443", "port"},
      {"*.x.com/", "path"},
      {"10.0.0.0/8", "prefix length"},
      {"me@x.com", "user"},
      {"x.com ", "white space"},
      {" *.x.com", "alone in front"},
      {"-x.com", "hyphen"},
      {"x.com,y.com", "','"},
      {"b\xc3\xbc"
       "cher.example",
       "xn--"},
      {std::string("*.x.com\0", 8), "NUL"},
  };
  for (const auto& row : kTable) {
    EXPECT_THAT(Printed(row.text), AllOf(HasSubstr("error: "), HasSubstr(row.message))) << row.text;
  }
}

TEST(HostPatternTest, AStarNeedsRoomForANameBelow) {
  EXPECT_EQ(Printed("*." + NameOf(251)), "*." + NameOf(251));
  EXPECT_TRUE(Matches("*." + NameOf(251), "a." + NameOf(251)));
  EXPECT_THAT(Printed("*." + NameOf(252)), HasSubstr("covers nothing"));
  EXPECT_THAT(Printed("*." + NameOf(253)), HasSubstr("covers nothing"));
  EXPECT_EQ(Printed(NameOf(253)), NameOf(253));
  EXPECT_THAT(Printed(NameOf(254)), HasSubstr("254 bytes"));
}

}  // namespace
}  // namespace sockgate
