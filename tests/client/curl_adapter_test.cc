// What the adapter decides without a broker. Whole transfers are in tests/integration.

#include "client/curl_adapter.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "client/url_host.h"
#include "tests/client/fake_broker.h"

namespace sockgate {
namespace {

constexpr ConnectMode kConnected = ConnectMode::kConnected;
constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

TEST(SockoptAnswerTest, ByModeAndVersion) {
  const struct {
    unsigned version;
    int connected;
  } cases[] = {
      {CURL_VERSION_BITS(7, 74, 0), CURL_SOCKOPT_ALREADY_CONNECTED},
      {CURL_VERSION_BITS(7, 87, 0), CURL_SOCKOPT_ALREADY_CONNECTED},
      {CURL_VERSION_BITS(7, 88, 0), CURL_SOCKOPT_OK},
      {CURL_VERSION_BITS(7, 88, 1), CURL_SOCKOPT_OK},
      {CURL_VERSION_BITS(8, 0, 0), CURL_SOCKOPT_ALREADY_CONNECTED},
      {CURL_VERSION_BITS(8, 19, 0), CURL_SOCKOPT_ALREADY_CONNECTED},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(SockoptAnswer(kConnected, one.version), one.connected) << std::hex << one.version;
    EXPECT_EQ(SockoptAnswer(kInProgress, one.version), CURL_SOCKOPT_OK) << std::hex << one.version;
  }
}

TEST(LooksUpByGetaddrinfoTest, ByHowLibcurlWasBuilt) {
  const char* const threaded[] = {"alt-svc", "asyn-rr", nullptr};
  const char* const without[] = {"alt-svc", nullptr};
  const struct {
    CURLversion age;
    const char* ares;
    const char* const* features;
    bool expected;
  } cases[] = {
      {CURLVERSION_ELEVENTH, nullptr, without, true},
      {CURLVERSION_ELEVENTH, "1.34.0", without, false},
      {CURLVERSION_ELEVENTH, "1.34.0", threaded, true},
      {CURLVERSION_TENTH, "1.18.1", nullptr, false},
      {CURLVERSION_FIRST, nullptr, nullptr, true},
  };
  for (const auto& one : cases) {
    curl_version_info_data libcurl = {};
    libcurl.age = one.age;
    libcurl.ares = one.ares;
    libcurl.feature_names = one.features;
    EXPECT_EQ(LooksUpByGetaddrinfo(libcurl), one.expected) << one.age << one.expected;
  }
}

TEST(HostOfUrlTest, NameAndPort) {
  const struct {
    const char* url;
    const char* expected;
  } cases[] = {
      {"http://a.test/x", "a.test:80 name"},
      {"https://user:secret@A.test:8443", "A.test:8443 name"},
      {"a.test", "a.test:80 name"},
      {"ftp://a%2etest", "a.test:21 name"},
      {"http://[2001:db8::1]:81/", "[2001:db8::1]:81 literal"},
      {"http://192.0.2.1/", "192.0.2.1:80 literal"},
      {"http://a b/", "none"},
      {"http:///", "none"},
      {"", "none"},
      {"file:///etc/passwd", "none"},
  };
  for (const auto& one : cases) {
    const auto host = HostOfUrl(one.url);
    const std::string text =
        host.has_value() ? host->name + ":" + host->port + (host->is_literal ? " literal" : " name")
                         : "none";
    EXPECT_EQ(text, one.expected) << one.url;
  }
}

TEST(ResolveEntryTest, AddressesInTheOrderOfRfc6724) {
  const std::vector<IpAddress> addresses = {*IpAddress::Parse("fd00::1"),
                                            *IpAddress::Parse("192.0.2.1"),
                                            *IpAddress::Parse("2001:db8::1")};
  EXPECT_EQ(ResolveEntry({"a.test", "443", false}, addresses),
            "+a.test:443:[2001:db8::1],192.0.2.1,[fd00::1]");
}

struct EasyCloser {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

class CurlAdapterTest : public ::testing::Test {
 protected:
  CurlAdapterTest() {
    broker_.Greet();
    client_ = *BrokerClient::FromDescriptor(broker_.TakeWorkerEnd());
  }

  testing::FakeBroker broker_;
  std::unique_ptr<BrokerClient> client_;
  const std::unique_ptr<CURL, EasyCloser> easy_{curl_easy_init()};
};

// This process is not confined, so nobody answers the connect() that libcurl would make.
TEST_F(CurlAdapterTest, AttachSaysWhatIsMissingInAnUnconfinedProcess) {
  const unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
  for (const ConnectMode mode : {kConnected, kInProgress}) {
    if (SockoptAnswer(mode, version) != CURL_SOCKOPT_OK) continue;
    CurlAdapterOptions options;
    options.mode = mode;
    CurlAdapter adapter(client_.get(), options);
    const absl::Status status = adapter.Attach(easy_.get());
    EXPECT_TRUE(absl::IsFailedPrecondition(status));
    EXPECT_NE(status.message().find("launch::Worker"), absl::string_view::npos);
    EXPECT_NE(status.message().find("ArmNameShim"), absl::string_view::npos);
  }
}

TEST_F(CurlAdapterTest, AHandleThatItDoesNotKnow) {
  CurlAdapter adapter(client_.get(), {});
  EXPECT_TRUE(adapter.LastError(easy_.get()).ok());
  EXPECT_EQ(adapter.Explain(easy_.get(), CURLE_COULDNT_CONNECT),
            curl_easy_strerror(CURLE_COULDNT_CONNECT));
  adapter.Detach(easy_.get());
}

TEST_F(CurlAdapterTest, ExplainsWhatAUserCannotGuess) {
  CurlAdapter adapter(client_.get(), {});
  EXPECT_NE(adapter.Explain(easy_.get(), CURLE_INTERFACE_FAILED).find("CURLOPT_INTERFACE"),
            std::string::npos);
  for (const CURLcode code : {CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY}) {
    EXPECT_NE(adapter.Explain(easy_.get(), code).find("CURLOPT_RESOLVE"), std::string::npos);
  }
}

}  // namespace
}  // namespace sockgate
