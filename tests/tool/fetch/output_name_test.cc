#include "tool/fetch/output_name.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

std::string NameOf(const std::string& url) {
  const auto name = OutputName(url);
  return name.ok() ? *name : absl::StrCat("error: ", name.status().message());
}

TEST(OutputNameTest, IsTheLastPartOfThePath) {
  EXPECT_EQ(NameOf("https://a.example/b/page.html?q=/x#y"), "page.html");
  EXPECT_EQ(NameOf("a.example/file"), "file");
  EXPECT_EQ(NameOf("https://a.example/%2e%2e%2fpasswd"), "%2e%2e%2fpasswd");
  EXPECT_EQ(NameOf("https://a.example/-rf"), "-rf");
}

TEST(OutputNameTest, LeadsNowhereElse) {
  for (const char* url :
       {"https://a.example", "https://a.example/", "https://a.example/b/", "https://a.example/b/..",
        "https://a.example/b/.", "https://a.example/%2e%2e/"}) {
    const auto name = OutputName(url);
    EXPECT_TRUE(!name.ok() || (*name != "." && *name != ".." && !name->empty())) << url;
    EXPECT_TRUE(!name.ok() || name->find('/') == std::string::npos) << url;
  }
  EXPECT_FALSE(OutputName("https://a.example/b/..").ok());
}

TEST(OutputNameTest, HasNoControlCharactersAndFits) {
  EXPECT_FALSE(OutputName("https://a.example/a\x1b[2Jb").ok());
  EXPECT_FALSE(OutputName("https://a.example/a\x7f").ok());
  EXPECT_FALSE(OutputName("https://a.example/a\xc2\x9b"
                          "2J")
                   .ok());
  EXPECT_FALSE(OutputName("https://a.example/a\xe2\x80\xae"
                          "gpj.exe")
                   .ok());
  EXPECT_FALSE(OutputName("https://a.example/a\xff").ok());
  EXPECT_EQ(NameOf("https://a.example/caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_TRUE(OutputName("https://a.example/" + std::string(240, 'a')).ok());
  EXPECT_FALSE(OutputName("https://a.example/" + std::string(254, 'a')).ok());
}

TEST(OutputNameTest, AnErrorSaysWhatToWrite) {
  EXPECT_EQ(NameOf("https://a.example/"),
            "error: -O: it has no file name at its end: write -o FILE for it");
}

}  // namespace
}  // namespace sockgate
