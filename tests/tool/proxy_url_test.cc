#include "tool/proxy_url.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

std::string Read(const std::string& text) {
  const auto url = ReadProxyUrl(text);
  return url.ok() ? *url : absl::StrCat("? ", url.status().message());
}

TEST(ProxyUrlTest, HasASchemeAndAPort) {
  EXPECT_EQ(Read("proxy.example"), "http://proxy.example:1080/");
  EXPECT_EQ(Read("proxy.example:3128"), "http://proxy.example:3128/");
  EXPECT_EQ(Read("https://proxy.example"), "https://proxy.example:443/");
  EXPECT_EQ(Read("socks5h://user:secret@[2001:db8::1]"),
            "socks5h://user:secret@[2001:db8::1]:1080/");
  EXPECT_EQ(Read("socks4a://192.0.2.1:9"), "socks4a://192.0.2.1:9/");
}

TEST(ProxyUrlTest, WhatIsNoneSaysWhatToWrite) {
  EXPECT_EQ(Read("socks5://p:1"),
            "? --proxy 'socks5://p:1' would look up here what the proxy is to look up: "
            "write socks5h://");
  EXPECT_NE(Read("socks4://p:1").find("write socks4a://"), std::string::npos);
  EXPECT_NE(Read("ftp://p:1").find("is no proxy"), std::string::npos);
  EXPECT_NE(Read("p:0").find("--proxy 'p:0'"), std::string::npos);
  EXPECT_NE(Read("p:99999").find("is not a URL"), std::string::npos);
  EXPECT_NE(Read("http://").find("--proxy 'http://'"), std::string::npos);
  EXPECT_NE(Read("a b").find("is not a URL"), std::string::npos);
}

}  // namespace
}  // namespace sockgate
