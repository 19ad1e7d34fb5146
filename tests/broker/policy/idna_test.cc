#include "broker/policy/idna.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Error(const absl::Status& status) { return absl::StrCat("error: ", status.message()); }

std::string ALabels(absl::string_view text) {
  const auto ascii = ToALabels(text);
  return ascii.ok() ? *ascii : Error(ascii.status());
}

std::string Host(absl::string_view text) {
  const auto host = ParseInternationalHost(text);
  return host.ok() ? ToString(*host) : Error(host.status());
}

std::string Pattern(absl::string_view text) {
  const auto pattern = ParseInternationalPattern(text);
  return pattern.ok() ? pattern->ToString() : Error(pattern.status());
}

TEST(IdnaTest, WritesLabelsAsTheDnsHasThem) {
  EXPECT_EQ(ALabels("bücher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(ALabels("BÜCHER.example"), "xn--bcher-kva.example");
  EXPECT_EQ(ALabels("Bu\u0308cher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(ALabels("bücher.example."), "xn--bcher-kva.example.");
  EXPECT_EQ(ALabels("例え.テスト"), "xn--r8jz45g.xn--zckzah");
  EXPECT_EQ(ALabels("例え。テスト"), "xn--r8jz45g.xn--zckzah");
  EXPECT_EQ(ALabels("παράδειγμα.δοκιμή"), "xn--hxajbheg2az3al.xn--jxalpdlp");
}

TEST(IdnaTest, DoesNotMakeTwoNamesOne) {
  EXPECT_EQ(ALabels("faß.de"), "xn--fa-hia.de");
  EXPECT_EQ(ALabels("fass.de"), "fass.de");
  EXPECT_EQ(ALabels("βόλος.com"), "xn--nxasmm1c.com");
}

TEST(IdnaTest, TakesEmojiAsBrowsersDo) {
  EXPECT_EQ(ALabels("☃.net"), "xn--n3h.net");
  EXPECT_EQ(ALabels("I❤.ws"), "xn--i-7iq.ws");
  EXPECT_EQ(ALabels("💩.la"), "xn--ls8h.la");
  EXPECT_EQ(ALabels("xn--ls8h.la"), "xn--ls8h.la");
}

TEST(IdnaTest, RefusesEmojiThatTheTwoMappingsReadDifferently) {
  EXPECT_THAT(ALabels("faß☃.de"), HasSubstr("label (number 1)"));
  EXPECT_THAT(ALabels("👨\u200d👩.la"), HasSubstr("IDNA refuses"));
  EXPECT_THAT(ALabels("ς☃.la"), HasSubstr("IDNA refuses"));
  EXPECT_THAT(ALabels("☃\u200c.la"), HasSubstr("IDNA refuses"));
}

TEST(IdnaTest, LeavesAsciiAsItIs) {
  for (const char* text :
       {"example.com", "Example.COM", "example.com.", "_dmarc.example.com", "a_b.example",
        "r3---sn-4g5e.example", "-a.example", "127.0.0.1", "0x7f.1", "[2001:db8::1]", "", ".",
        "a..b", "https://example.com/", "*", "xn--bcher-kva.example", "XN--Bcher-KVA.example"}) {
    EXPECT_EQ(ALabels(text), text);
  }
}

TEST(IdnaTest, LeavesAsciiLabelsBesideOthersAsTheyAre) {
  EXPECT_EQ(ALabels("_dmarc.bücher.example"), "_dmarc.xn--bcher-kva.example");
  EXPECT_EQ(ALabels("r3---sn.bücher.example"), "r3---sn.xn--bcher-kva.example");
  EXPECT_EQ(ALabels("xn--fa-hia.bücher.example"), "xn--fa-hia.xn--bcher-kva.example");
}

TEST(IdnaTest, RefusesALabelsOfNoName) {
  const struct {
    const char* text;
    const char* why;
  } kTable[] = {
      {"xn--zzzzzzzz99999.com", "no punycode"},
      {"xn--999", "no punycode"},
      {"xn--", "nothing encoded"},
      {"xn--a-", "nothing but ASCII"},
      {"xn--foo-.com", "nothing but ASCII"},
      {"xn--a", "a control character"},
      {"xn--a-ecp.ru", "a character that is mapped"},
      {"xn--kva", "a combining character in front"},
      {"xn--nva", "a combining character in front"},
      {"bücher.xn--999", "no punycode, beside a good label"},
      {"\uff58n--999", "full-width x in front of no punycode"},
  };
  for (const auto& row : kTable) EXPECT_THAT(ALabels(row.text), HasSubstr("error: ")) << row.why;
  EXPECT_THAT(ALabels("www.xn--999.com"), HasSubstr("label (number 2)"));
}

TEST(IdnaTest, RefusesWhatIdnaForbids) {
  const struct {
    std::string text;
    const char* message;
  } kTable[] = {
      {"a\u200db.com", "IDNA refuses"},
      {"a\u200c.com", "IDNA refuses"},
      {"\u202e.com", "IDNA refuses"},
      {"\u0301a.com", "IDNA refuses"},
      {"1א.com", "IDNA refuses"},
      {"-ü.com", "IDNA refuses"},
      {"ab--ü.com", "IDNA refuses"},
      {"⒈com", "IDNA refuses"},
      {"\xff.com", "IDNA refuses"},
      {"\xc3", "IDNA refuses"},
      {"\xc0\xae", "IDNA refuses"},
      {"\xed\xa0\x80.com", "IDNA refuses"},
      {"ü b.com", "white space"},
      {"ü\n", "white space"},
      {"https://bücher.example/", "URL"},
      {"bücher.example:443", "port"},
      {"bücher.example/x", "path"},
      {"me@bücher.example", "user"},
      {"bücher%2eexample", "percent"},
      {"％61.com", "percent"},
      {"a／b.com", "path"},
      {"a：80", "port"},
      {"［::1］", "':'"},
      {"［：：1］", "bracket"},
      {"［a］", "bracket"},
      {std::string("example.com\0", 12), "NUL"},
      {std::string("b\xc3\xbc\0.com", 8), "NUL"},
      {std::string(4097, 'a'), "too long"},
  };
  for (const auto& row : kTable) {
    EXPECT_THAT(ALabels(row.text), AllOf(HasSubstr("error: "), HasSubstr(row.message))) << row.text;
  }
}

TEST(IdnaTest, DropsWhatNobodySees) {
  EXPECT_EQ(ALabels("ex\u00adample.com"), "example.com");
  EXPECT_EQ(ALabels("ex\u200bample.com"), "example.com");
  EXPECT_EQ(ALabels("ex\u2060ample.com"), "example.com");
  EXPECT_THAT(Host("a.\u00ad.com"), HasSubstr("empty label"));
  EXPECT_THAT(Host("\u00ad"), HasSubstr("empty"));
}

TEST(IdnaTest, HoldsTheLengthsOfTheDns) {
  std::string longest;
  for (int i = 0; i < 57; ++i) longest += "ü";
  EXPECT_EQ(ALabels(longest).size(), 63u);
  EXPECT_THAT(ALabels(longest + "ü"), HasSubstr("IDNA refuses"));
  const std::string three = longest + "." + longest + "." + longest + ".";
  EXPECT_EQ(Host(three + std::string(61, 'a')).size(), 253u);
  EXPECT_THAT(Host(three + std::string(62, 'a')), HasSubstr("254 bytes"));
  EXPECT_THAT(Host(three + longest), HasSubstr("255 bytes"));
}

TEST(ParseInternationalHostTest, SeesAddressesBehindTheMapping) {
  EXPECT_EQ(Host("１２７．０．０．１"), "127.0.0.1");
  EXPECT_EQ(Host("①②⑦.⓪.0.1"), "127.0.0.1");
  EXPECT_EQ(Host("127。0。0。1"), "127.0.0.1");
  EXPECT_EQ(Host("127｡0｡0｡1"), "127.0.0.1");
  EXPECT_EQ(Host("０ｘ７ｆ．１"), "127.0.0.1");
  EXPECT_EQ(Host("𝟏𝟐𝟕.𝟢.𝟶.𝟷"), "127.0.0.1");
  EXPECT_EQ(Host("2130\u00ad706433"), "127.0.0.1");
  EXPECT_EQ(Host("169.254.169.25４"), "169.254.169.254");
  EXPECT_THAT(Host("１.２.３.４.５"), HasSubstr("four parts"));
  EXPECT_THAT(Host("０９"), HasSubstr("octal"));
  EXPECT_THAT(Host("bücher.example.１"), HasSubstr("ends in a number"));
}

TEST(ParseInternationalHostTest, TakesNamesAndPlainAddresses) {
  EXPECT_EQ(Host("Bücher.Example."), "xn--bcher-kva.example");
  EXPECT_EQ(Host("XN--BCHER-KVA.EXAMPLE"), "xn--bcher-kva.example");
  EXPECT_EQ(Host("ＥＸＡＭＰＬＥ．com"), "example.com");
  EXPECT_EQ(Host("[2001:db8::1]"), "2001:db8::1");
  EXPECT_EQ(Host("::1"), "::1");
  EXPECT_THAT(Host(""), HasSubstr("empty"));
  EXPECT_THAT(Host("fe80::1%25ü"), HasSubstr("error: "));
}

TEST(ParseInternationalPatternTest, TakesNamesAndNamesBelow) {
  EXPECT_EQ(Pattern("bücher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(Pattern("*.Bücher.example."), "*.xn--bcher-kva.example");
  EXPECT_EQ(Pattern("*.faß.de"), "*.xn--fa-hia.de");
  EXPECT_EQ(Pattern("*.example.com"), "*.example.com");
  EXPECT_EQ(Pattern("*._tcp.bücher.example"), "*._tcp.xn--bcher-kva.example");
}

TEST(ParseInternationalPatternTest, RefusesAddressesBehindTheMapping) {
  EXPECT_THAT(Pattern("１２７．０．０．１"), AllOf(HasSubstr("cidr"), HasSubstr("127.0.0.1")));
  EXPECT_THAT(Pattern("*.１"), HasSubstr("cidr"));
  EXPECT_THAT(Pattern("127。1"), HasSubstr("cidr"));
  EXPECT_THAT(Pattern("0x7f.1"), HasSubstr("cidr"));
}

TEST(ParseInternationalPatternTest, TakesNoStarButThePlainOneInFront) {
  EXPECT_THAT(Pattern("＊.example.com"), HasSubstr("'*'"));
  EXPECT_THAT(Pattern("*.＊.example.com"), HasSubstr("'*'"));
  EXPECT_THAT(Pattern("*。example.com"), HasSubstr("'*'"));
  EXPECT_THAT(Pattern("bücher.*"), HasSubstr("'*'"));
  EXPECT_THAT(Pattern("foo.*.com"), HasSubstr("star elsewhere"));
  EXPECT_THAT(Pattern("*"), HasSubstr("every name"));
  EXPECT_THAT(Pattern("*."), HasSubstr("every name"));
  EXPECT_THAT(Pattern("*.\u00ad"), HasSubstr("every name"));
  EXPECT_THAT(Pattern(""), HasSubstr("empty"));
  EXPECT_THAT(Pattern("\u00ad.example.com"), HasSubstr("*.example.com"));
}

}  // namespace
}  // namespace sockgate
