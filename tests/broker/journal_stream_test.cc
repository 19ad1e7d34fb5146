// The test plays the system's journal.

#include "broker/journal_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "broker/audit_log.h"
#include "proto/endpoint.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

// As Broker::SwapAudit() does for all loops.
UniqueFd Swap(AuditLog& log, UniqueFd fd) {
  log.Flush();
  return log.sink()->Swap(std::move(fd));
}

using ::testing::HasSubstr;

class JournalStreamTest : public ::testing::Test {
 protected:
  UniqueFd Listen() const {
    UniqueFd journal(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address;
    const socklen_t length = Endpoint::Unix(path_)->ToSockaddr(&address);
    EXPECT_EQ(bind(journal.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(journal.get(), 4), 0);
    return journal;
  }
  static UniqueFd Accept(const UniqueFd& journal) {
    return UniqueFd(accept4(journal.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  // What has arrived.
  static std::string Read(const UniqueFd& stream) {
    std::string text;
    std::array<char, 4096> block;
    ssize_t size = 0;
    while ((size = recv(stream.get(), block.data(), block.size(), MSG_DONTWAIT)) > 0) {
      text.append(block.data(), static_cast<size_t>(size));
    }
    return text;
  }

  const testing::TempFolder folder_;
  const std::string path_ = folder_ / "stdout";
};

TEST_F(JournalStreamTest, SaysWhoItIsAndThenEachLineIsAnEntry) {
  const UniqueFd journal = Listen();
  auto stream = OpenJournalStream(path_);
  ASSERT_TRUE(stream.ok()) << stream.status();
  const UniqueFd entries = Accept(journal);
  EXPECT_EQ(Read(entries), "sockgate\n\n6\n0\n0\n0\n0\n");
  AuditLog log(*std::move(stream));
  log.PolicyLoaded(7, "roles: 1", {});
  log.Flush();
  EXPECT_THAT(Read(entries), ::testing::MatchesRegex("\\{\"time\".*\"policy\":7.*\\}\n"));
}

// Lines wait, as they do for a slow reader of a pipe, and the next connection gets them.
TEST_F(JournalStreamTest, AJournalThatHasEndedLosesNothingThatWaited) {
  UniqueFd journal = Listen();
  AuditLog log(*OpenJournalStream(path_));
  journal.Reset();
  log.PolicyLoaded(7, "", {});
  log.Flush();
  EXPECT_TRUE(log.pending());
  EXPECT_EQ(unlink(path_.c_str()), 0);
  journal = Listen();
  Swap(log, *OpenJournalStream(path_));
  log.Flush();
  EXPECT_FALSE(log.pending());
  EXPECT_THAT(Read(Accept(journal)), HasSubstr("\"policy\":7"));
}

TEST_F(JournalStreamTest, AJournalThatDoesNotReadBlocksNobody) {
  const UniqueFd journal = Listen();
  AuditLog log(*OpenJournalStream(path_));
  while (!log.full()) {
    log.PolicyLoaded(7, std::string(1000, 'x'), {});
    if (log.batch_full()) log.Flush();
  }
  EXPECT_TRUE(log.denies());
  const UniqueFd entries = Accept(journal);
  std::string text;
  while (log.pending()) {
    text += Read(entries);
    log.Flush();
  }
  text += Read(entries);
  EXPECT_EQ(text.back(), '\n');
  EXPECT_FALSE(log.full());
}

TEST_F(JournalStreamTest, NoJournalIsAnErrorThatNamesIt) {
  const auto stream = OpenJournalStream(path_);
  EXPECT_THAT(stream.status().message(), HasSubstr(path_));
  EXPECT_FALSE(OpenJournalStream(std::string(200, 'x')).ok());
}

}  // namespace
}  // namespace sockgate
