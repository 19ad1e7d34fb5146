#include "client/launch/pool/transfer_book.h"

#include <gtest/gtest.h>

namespace sockgate::launch {
namespace {

constexpr uint32_t kWorker = 7;

Frame Make(FrameType type, TransferId id, absl::string_view payload = "x") {
  Frame frame;
  frame.type = type;
  frame.id = id;
  frame.payload = payload;
  return frame;
}

class TransferBookTest : public ::testing::Test {
 protected:
  TransferBookTest() {
    for (TransferId id = 1; id <= 3; ++id) book_.Add(id, Transfer());
  }

  TransferBook book_;
};

TEST_F(TransferBookTest, TransfersTakeTurns) {
  EXPECT_EQ(book_.waiting(), 3U);
  EXPECT_EQ(book_.NextWaiting(), TransferId{1});
  EXPECT_EQ(book_.NextWaiting(), TransferId{1});
  book_.Begin(1, kWorker, {});
  book_.Erase(2);
  EXPECT_EQ(book_.NextWaiting(), TransferId{3});
  EXPECT_EQ(book_.waiting(), 1U);
  EXPECT_EQ(book_.size(), 2U);
  EXPECT_EQ(book_.Waiting(), std::vector<TransferId>{3});
  EXPECT_EQ(book_.All(), (std::vector<TransferId>{1, 3}));
  book_.Erase(3);
  EXPECT_EQ(book_.NextWaiting(), std::nullopt);
}

TEST_F(TransferBookTest, ASuspectIsAloneTheNextTime) {
  book_.Begin(1, kWorker, {});
  EXPECT_FALSE(book_.Find(1)->alone);
  book_.Find(1)->body_bytes = 5;
  book_.Suspect(1);
  EXPECT_EQ(book_.NextSuspect(), TransferId{1});
  EXPECT_EQ(book_.NextWaiting(), TransferId{2});
  EXPECT_EQ(book_.waiting(), 3U);
  book_.Begin(1, kWorker + 1, {});
  EXPECT_TRUE(book_.Find(1)->alone);
  EXPECT_EQ(book_.Find(1)->attempts, 2U);
  EXPECT_EQ(book_.Find(1)->body_bytes, 0U);
  EXPECT_EQ(book_.NextSuspect(), std::nullopt);
}

TEST_F(TransferBookTest, AFrameIsOfATransferThatTheWorkerHas) {
  const char* const foreign = "a transfer that is not its own";
  book_.Begin(1, kWorker, {});
  EXPECT_EQ(book_.Judge(Make(FrameType::kHead, 1), kWorker), nullptr);
  for (const FrameType type : {FrameType::kHead, FrameType::kBody, FrameType::kDone}) {
    EXPECT_STREQ(book_.Judge(Make(type, 1), kWorker + 1), foreign);
    EXPECT_STREQ(book_.Judge(Make(type, 2), kWorker), foreign);
    EXPECT_STREQ(book_.Judge(Make(type, 9), kWorker), foreign);
  }
}

TEST_F(TransferBookTest, TheOrderOfFramesIsHeadBodyResult) {
  book_.Begin(1, kWorker, {});
  EXPECT_STREQ(book_.Judge(Make(FrameType::kBody, 1), kWorker), "a body without a head");
  EXPECT_EQ(book_.Judge(Make(FrameType::kHead, 1), kWorker), nullptr);
  EXPECT_STREQ(book_.Judge(Make(FrameType::kHead, 1), kWorker), "a second head");
  EXPECT_EQ(book_.Judge(Make(FrameType::kBody, 1), kWorker), nullptr);
  EXPECT_EQ(book_.Judge(Make(FrameType::kBody, 1), kWorker), nullptr);
  EXPECT_EQ(book_.Judge(Make(FrameType::kDone, 1), kWorker), nullptr);
  book_.Begin(2, kWorker, {});
  EXPECT_EQ(book_.Judge(Make(FrameType::kDone, 2), kWorker), nullptr);
}

TEST_F(TransferBookTest, ABodyIsNoLongerThanItMayBe) {
  Transfer transfer;
  transfer.max_filesize = 5;
  book_.Add(4, transfer);
  book_.Begin(4, kWorker, {});
  EXPECT_EQ(book_.Judge(Make(FrameType::kHead, 4), kWorker), nullptr);
  EXPECT_EQ(book_.Judge(Make(FrameType::kBody, 4, "123"), kWorker), nullptr);
  EXPECT_EQ(book_.Judge(Make(FrameType::kBody, 4, "45"), kWorker), nullptr);
  EXPECT_STREQ(book_.Judge(Make(FrameType::kBody, 4, "6"), kWorker), "too large a body");
  transfer.output = 1;
  book_.Add(5, transfer);
  book_.Begin(5, kWorker, {});
  EXPECT_EQ(book_.Judge(Make(FrameType::kHead, 5), kWorker), nullptr);
  EXPECT_STREQ(book_.Judge(Make(FrameType::kBody, 5), kWorker), "a body that was to be written");
}

}  // namespace
}  // namespace sockgate::launch
