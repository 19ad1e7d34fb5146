#include "client/pool/transfer_codec.h"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace sockgate {
namespace {

Transfer SampleTransfer() {
  Transfer transfer;
  transfer.url = "https://example.com/a?b=c";
  transfer.method = "PUT";
  transfer.headers = {"Accept: text/html", "X-Empty;"};
  transfer.body = std::string("a\0b", 3);
  transfer.protocols = "https";
  transfer.redirect_protocols = "http,https";
  transfer.follow = true;
  transfer.max_redirects = 7;
  transfer.compressed = true;
  transfer.fail_on_http_error = true;
  transfer.max_filesize = uint64_t{5} << 32;
  transfer.max_time = std::chrono::milliseconds(70000);
  transfer.connect_timeout = std::chrono::milliseconds(3000);
  transfer.proxy = "socks5h://proxy.example:1080";
  transfer.insecure = true;
  transfer.output = 9;
  return transfer;
}

TransferResult SampleResult() {
  TransferResult result;
  result.code = CURLE_COULDNT_CONNECT;
  result.status = 302;
  result.effective_url = "http://example.com/";
  result.content_type = "text/html";
  result.address = "2001:db8::1";
  result.port = 8443;
  result.redirects = 3;
  result.connections = 2;
  result.body_bytes = 1;
  result.wire_bytes = 2;
  result.header_bytes = 3;
  result.request_bytes = 4;
  result.upload_bytes = uint64_t{5} << 40;
  result.timings = {10, 20, 30, 40, 50, uint64_t{60} << 33};
  result.verdict = BrokerVerdict::kDenied;
  result.error.kind = ConnectError::Kind::kDenied;
  result.error.reason = Reason::kDenyRule;
  result.error.rule = 4;
  result.error.error_number = 13;
  result.error.retry_after_ms = 6;
  result.rule = 4;
  result.os_error = 13;
  result.text = "denied by rule 4 (deny-rule)";
  result.head = {302, "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"};
  return result;
}

// What is decoded says the same when it is encoded again, so each field came through.
TEST(TransferCodecTest, ATransferComesThrough) {
  const std::string payload = EncodeTransfer(SampleTransfer());
  Transfer transfer;
  EXPECT_EQ(DecodeTransfer(payload, &transfer), nullptr);
  EXPECT_EQ(EncodeTransfer(transfer), payload);
  EXPECT_EQ(transfer.url, "https://example.com/a?b=c");
  EXPECT_EQ(transfer.headers.size(), 2U);
  EXPECT_EQ(transfer.body.size(), 3U);
  EXPECT_EQ(transfer.max_filesize, uint64_t{5} << 32);
  EXPECT_EQ(transfer.max_time, std::chrono::milliseconds(70000));
  EXPECT_EQ(transfer.output, 9);
  EXPECT_TRUE(transfer.insecure);
  transfer.output = -1;
  EXPECT_EQ(DecodeTransfer(EncodeTransfer(transfer), &transfer), nullptr);
  EXPECT_EQ(transfer.output, -1);
}

TEST(TransferCodecTest, AResultComesThrough) {
  const std::string payload = EncodeResult(SampleResult());
  TransferResult result;
  EXPECT_EQ(DecodeResult(payload, &result), nullptr);
  EXPECT_EQ(EncodeResult(result), payload);
  EXPECT_EQ(result.error.reason, Reason::kDenyRule);
  EXPECT_EQ(result.timings.total, uint64_t{60} << 33);
  EXPECT_EQ(result.head.headers, SampleResult().head.headers);
  EXPECT_EQ(result.port, 8443);
}

TEST(TransferCodecTest, WhatIsTooLongIsCutWhereItIsEncoded) {
  TransferResult result;
  result.effective_url = std::string(kMaxUrlBytes + 1, 'u');
  result.content_type = std::string(kMaxResultTextBytes + 1, 'c');
  result.address = result.content_type;
  result.text = result.content_type;
  result.head.headers = std::string(kMaxHeaderBytes + 1, 'h');
  const std::string payload = EncodeResult(result);
  EXPECT_LE(payload.size(), kMaxResultPayload);
  EXPECT_EQ(DecodeResult(payload, &result), nullptr);
  EXPECT_EQ(result.effective_url.size(), kMaxUrlBytes);
  EXPECT_EQ(result.head.headers.size(), kMaxHeaderBytes);
}

TEST(TransferCodecTest, TheLargestTransferFitsItsBound) {
  Transfer transfer;
  transfer.url = std::string(kMaxUrlBytes, 'u');
  transfer.proxy = transfer.protocols = transfer.redirect_protocols = transfer.url;
  transfer.method = std::string(kMaxMethodBytes, 'M');
  transfer.headers.assign(kMaxRequestHeaders,
                          std::string(kMaxRequestHeaderBytes / kMaxRequestHeaders, 'h'));
  transfer.body = std::string(kMaxRequestBodyBytes, 'b');
  ASSERT_TRUE(transfer.Check().ok());
  const std::string payload = EncodeTransfer(transfer);
  EXPECT_LE(payload.size(), kMaxTransferPayload);
  EXPECT_EQ(DecodeTransfer(payload, &transfer), nullptr);
}

// One that no longer fits is found by its length, and one that fits and is out of range by its
// value; whatever is let through says the same when it is encoded again.
void TruncateAndFlip(const std::string& valid,
                     const std::function<std::string(const std::string&)>& again) {
  for (size_t size = 0; size < valid.size(); ++size) {
    EXPECT_EQ(again(valid.substr(0, size)), "") << size;
  }
  EXPECT_EQ(again(valid + "x"), "");
  for (size_t at = 0; at < valid.size(); ++at) {
    for (int mask = 1; mask < 256; ++mask) {
      std::string flipped = valid;
      flipped[at] = static_cast<char>(flipped[at] ^ mask);
      const std::string encoded = again(flipped);
      EXPECT_TRUE(encoded.empty() || encoded == flipped) << "byte " << at << ", mask " << mask;
    }
  }
}

TEST(TransferCodecTest, TruncatedAndFlippedResultsAreRefusedOrMeanWhatTheySay) {
  TruncateAndFlip(EncodeResult(SampleResult()), [](const std::string& payload) {
    TransferResult result;
    return DecodeResult(payload, &result) == nullptr ? EncodeResult(result) : "";
  });
}

TEST(TransferCodecTest, TruncatedAndFlippedHeadsAreRefusedOrMeanWhatTheySay) {
  TruncateAndFlip(EncodeHead(SampleResult().head), [](const std::string& payload) {
    ResponseHead head;
    return DecodeHead(payload, &head) == nullptr ? EncodeHead(head) : "";
  });
}

TEST(TransferCodecTest, TruncatedAndFlippedTransfersAreRefusedOrMeanWhatTheySay) {
  TruncateAndFlip(EncodeTransfer(SampleTransfer()), [](const std::string& payload) {
    Transfer transfer;
    return DecodeTransfer(payload, &transfer) == nullptr ? EncodeTransfer(transfer) : "";
  });
}

TEST(TransferCodecTest, AWorkerMayNotSayWhatIsTheLaunchersToSay) {
  for (const Fate fate :
       {Fate::kCrashed, Fate::kHung, Fate::kMisbehaved, Fate::kInterrupted, Fate::kNoWorker}) {
    TransferResult result;
    result.fate = fate;
    EXPECT_STREQ(DecodeResult(EncodeResult(result), &result), "fate");
  }
}

TEST(TransferCodecTest, ACodeThatLibcurlDoesNotHaveIsRefused) {
  for (const uint32_t code : {uint32_t{CURL_LAST}, 256U, UINT32_MAX}) {
    TransferResult result;
    result.code = code;
    EXPECT_STREQ(DecodeResult(EncodeResult(result), &result), "code");
  }
}

}  // namespace
}  // namespace sockgate
