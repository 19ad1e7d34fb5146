#include "client/pool/transfer.h"

#include <gtest/gtest.h>

#include "absl/strings/string_view.h"
#include "client/pool/transfer_limits.h"

namespace sockgate {
namespace {

Transfer Sample() {
  Transfer transfer;
  transfer.url = "http://example.com/";
  return transfer;
}

TEST(TransferTest, ItsMethodFollowsFromItsBody) {
  Transfer transfer = Sample();
  EXPECT_EQ(transfer.Method(), "GET");
  transfer.body = "x";
  EXPECT_EQ(transfer.Method(), "POST");
  transfer.method = "PUT";
  EXPECT_EQ(transfer.Method(), "PUT");
}

TEST(TransferTest, WhatMayBeRepeatedIsWhatTheStandardSays) {
  Transfer transfer = Sample();
  for (const char* method : {"", "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"}) {
    transfer.method = method;
    EXPECT_TRUE(transfer.IsIdempotent()) << method;
  }
  for (const char* method : {"POST", "PATCH", "get", "LOCK"}) {
    transfer.method = method;
    EXPECT_FALSE(transfer.IsIdempotent()) << method;
  }
}

TEST(TransferTest, NothingCanWriteAnotherLineOfTheRequest) {
  for (const char byte : {'\r', '\n', '\0'}) {
    Transfer transfer = Sample();
    transfer.url.push_back(byte);
    EXPECT_FALSE(transfer.Check().ok());
    transfer = Sample();
    transfer.headers = {std::string("X: y") + byte};
    EXPECT_FALSE(transfer.Check().ok());
    transfer = Sample();
    transfer.method = std::string("GET") + byte;
    EXPECT_FALSE(transfer.Check().ok());
    transfer = Sample();
    transfer.proxy = std::string("http://proxy.example") + byte;
    EXPECT_FALSE(transfer.Check().ok());
  }
}

TEST(TransferTest, EachBoundHoldsToTheByte) {
  Transfer transfer = Sample();
  transfer.url.resize(kMaxUrlBytes, 'u');
  transfer.method.assign(kMaxMethodBytes, 'M');
  transfer.headers.assign(kMaxRequestHeaders,
                          std::string(kMaxRequestHeaderBytes / kMaxRequestHeaders, 'h'));
  transfer.body.assign(kMaxRequestBodyBytes, 'b');
  transfer.max_time = kMaxTransferTime;
  EXPECT_TRUE(transfer.Check().ok()) << transfer.Check();
  Transfer longer = transfer;
  longer.url.push_back('u');
  EXPECT_FALSE(longer.Check().ok());
  longer = transfer;
  longer.method.push_back('M');
  EXPECT_FALSE(longer.Check().ok());
  longer = transfer;
  longer.headers[0].push_back('h');
  EXPECT_FALSE(longer.Check().ok());
  longer = transfer;
  longer.headers.emplace_back("h");
  EXPECT_FALSE(longer.Check().ok());
  longer = transfer;
  longer.body.push_back('b');
  EXPECT_FALSE(longer.Check().ok());
  longer = transfer;
  longer.max_time += std::chrono::milliseconds(1);
  EXPECT_FALSE(longer.Check().ok());
}

TEST(TransferTest, EnumeratorsHaveNames) {
  EXPECT_EQ(FateName(Fate::kEnded), "ended");
  EXPECT_EQ(FateName(Fate::kNoWorker), "no-worker");
  EXPECT_EQ(VerdictName(BrokerVerdict::kDenied), "denied");
}

}  // namespace
}  // namespace sockgate
