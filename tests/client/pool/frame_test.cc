#include "client/pool/frame.h"

#include <gtest/gtest.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/pool/transfer_codec.h"
#include "proto/unique_fd.h"

namespace sockgate {
namespace {

using Outcome = FrameReader::Outcome;

// The bytes that a writer sends.
class Wire {
 public:
  Wire() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    here_.Reset(ends[0]);
    there_.Reset(ends[1]);
  }

  std::string Take(FrameWriter& writer) {
    std::string bytes;
    char buffer[4096];
    while (writer.Flush(here_.get()) == FrameWriter::Outcome::kSome || Has()) {
      const ssize_t got = recv(there_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
      if (got > 0) bytes.append(buffer, static_cast<size_t>(got));
    }
    return bytes;
  }

  int here() const { return here_.get(); }
  void CloseThere() { there_.Reset(); }

 private:
  bool Has() const {
    char byte;
    return recv(there_.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
  }

  UniqueFd here_;
  UniqueFd there_;
};

std::string Bytes(FrameType type, TransferId id, const std::string& payload) {
  FrameWriter writer;
  writer.Put(type, id, payload);
  return Wire().Take(writer);
}

// Feeds `bytes` in pieces of at most `step`. The frames, as text; "!" and the fault at the end of
// what is refused.
std::string Read(const std::string& bytes, Side from, size_t step = SIZE_MAX) {
  FrameReader reader(from);
  std::string text;
  size_t at = 0;
  Frame frame;
  while (true) {
    switch (reader.Next(&frame)) {
      case Outcome::kFrame:
        absl::StrAppend(&text, static_cast<int>(frame.type), ":", frame.id, ":", frame.payload,
                        " ");
        break;
      case Outcome::kBad:
        return text + "!" + reader.fault();
      case Outcome::kMore: {
        if (at == bytes.size()) return text;
        const absl::Span<uint8_t> room = reader.Room();
        const size_t size = std::min({room.size(), step, bytes.size() - at});
        EXPECT_GT(size, 0U);
        memcpy(room.data(), bytes.data() + at, size);
        reader.Got(size);
        at += size;
      }
    }
  }
}

TEST(FrameTest, FramesComeThroughHoweverTheyAreCut) {
  const std::string bytes = Bytes(FrameType::kHead, 1, "head") +
                            Bytes(FrameType::kBody, uint64_t{7} << 40, std::string(16384, 'b')) +
                            Bytes(FrameType::kDone, 3, "done");
  const std::string whole = Read(bytes, Side::kWorker);
  EXPECT_EQ(whole.substr(0, 9), "3:1:head ");
  EXPECT_NE(whole.find("4:7696581394432:bbb"), std::string::npos);
  EXPECT_EQ(whole.substr(whole.size() - 9), "5:3:done ");
  for (const size_t step : {1, 2, 15, 16, 17, 4095}) {
    EXPECT_TRUE(Read(bytes, Side::kWorker, step) == whole) << step;
  }
}

TEST(FrameTest, ALongFrameComesThrough) {
  const std::string payload(kMaxTransferPayload, 'p');
  const std::string bytes = Bytes(FrameType::kOrder, 1, payload) + Bytes(FrameType::kCancel, 1, "");
  EXPECT_TRUE(Read(bytes, Side::kLauncher, 60000) == "1:1:" + payload + " 2:1: ");
}

TEST(FrameTest, EachTypeHasASideAndALength) {
  const size_t most[] = {kMaxTransferPayload, 0, kMaxHeadPayload, 16384, kMaxResultPayload};
  for (int type = 0; type < 256; ++type) {
    const bool launchers = type == 1 || type == 2;
    const bool workers = type >= 3 && type <= 5;
    const std::string ok = Bytes(static_cast<FrameType>(type), 1, type == 2 ? "" : "x");
    EXPECT_EQ(Read(ok, Side::kLauncher).substr(0, 1) != "!", launchers) << type;
    EXPECT_EQ(Read(ok, Side::kWorker).substr(0, 1) != "!", workers) << type;
    if (!launchers && !workers) continue;
    const Side from = launchers ? Side::kLauncher : Side::kWorker;
    // The header alone decides.
    const std::string longer =
        Bytes(static_cast<FrameType>(type), 1, std::string(most[type - 1] + 1, 'x'));
    EXPECT_EQ(Read(longer.substr(0, kFrameHeaderBytes), from), "!length") << type;
    const std::string empty = Read(Bytes(static_cast<FrameType>(type), 1, ""), from);
    EXPECT_EQ(empty, type == 2 ? "2:1: " : "!length");
  }
}

TEST(FrameTest, ReservedBytesAreZero) {
  for (size_t at = 5; at < 8; ++at) {
    std::string bytes = Bytes(FrameType::kBody, 1, "x");
    bytes[at] = 1;
    EXPECT_EQ(Read(bytes, Side::kWorker), "!reserved");
  }
}

// Whatever comes, in whatever pieces, the reader ends it or goes on, and keeps no more than its
// bound.
TEST(FrameTest, NoiseAndFlippedFramesDoNoHarm) {
  // NOLINTNEXTLINE(cert-msc32-c,cert-msc51-cpp): a failure must come back at the next run
  std::mt19937 random(1);
  const std::string valid = Bytes(FrameType::kHead, 1, "head") +
                            Bytes(FrameType::kBody, 2, "body") + Bytes(FrameType::kDone, 3, "done");
  for (size_t at = 0; at < valid.size(); ++at) {
    for (int mask = 1; mask < 256; ++mask) {
      std::string flipped = valid;
      flipped[at] = static_cast<char>(flipped[at] ^ mask);
      EXPECT_TRUE(Read(flipped, Side::kWorker, 1 + random() % 40) == Read(flipped, Side::kWorker));
    }
  }
  for (int round = 0; round < 2000; ++round) {
    std::string noise(random() % 100, '\0');
    for (char& byte : noise) byte = static_cast<char>(random() % 6);
    EXPECT_TRUE(Read(noise, Side::kWorker, 7) == Read(noise, Side::kWorker));
  }
}

TEST(FrameTest, AWriterKeepsWhatTheSocketDoesNotTake) {
  Wire wire;
  FrameWriter writer;
  const std::string piece(16384, 'p');
  while (writer.Flush(wire.here()) == FrameWriter::Outcome::kAll) {
    writer.Put(FrameType::kBody, 1, piece);
  }
  EXPECT_GT(writer.unsent(), 0U);
  const std::string text = Read(wire.Take(writer), Side::kWorker);
  EXPECT_EQ(writer.unsent(), 0U);
  EXPECT_EQ(text.size() % (piece.size() + 5), 0U);
  wire.CloseThere();
  writer.Put(FrameType::kBody, 1, piece);
  EXPECT_EQ(writer.Flush(wire.here()), FrameWriter::Outcome::kGone);
}

}  // namespace
}  // namespace sockgate
