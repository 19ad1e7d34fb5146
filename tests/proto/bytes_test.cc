#include "proto/bytes.h"

#include <gtest/gtest.h>

#include <array>

namespace sockgate {
namespace {

constexpr std::array<uint8_t, 7> kSeven = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0xff};

TEST(ByteReaderTest, ReadsLittleEndianIntegersInOrder) {
  ByteReader in(kSeven);
  EXPECT_EQ(in.U8("a"), 0x01);
  EXPECT_EQ(in.U16("b"), 0x0302);
  EXPECT_EQ(in.U32("c"), 0xff060504U);
  in.End();
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.failed_field(), nullptr);
}

TEST(ByteReaderTest, StaysFailedAfterTheFirstReadThatDoesNotFit) {
  ByteReader in(absl::MakeConstSpan(kSeven).first(3));
  EXPECT_EQ(in.U32("wide"), 0U);
  EXPECT_EQ(in.U8("narrow"), 0);
  EXPECT_EQ(in.View("view", 1), "");
  EXPECT_FALSE(in.ok());
  EXPECT_STREQ(in.failed_field(), "wide");
}

TEST(ByteReaderTest, KeepsTheFirstFieldThatFailed) {
  ByteReader in(kSeven);
  in.Fail("first");
  in.Fail("second");
  in.End();
  EXPECT_STREQ(in.failed_field(), "first");
}

TEST(ByteReaderTest, CopiesAllOrZeros) {
  std::array<uint8_t, 4> out = {9, 9, 9, 9};
  ByteReader in(absl::MakeConstSpan(kSeven).first(6));
  in.Copy("first", out.data(), out.size());
  EXPECT_EQ(out, (std::array<uint8_t, 4>{1, 2, 3, 4}));
  in.Copy("second", out.data(), out.size());
  EXPECT_EQ(out, (std::array<uint8_t, 4>{0, 0, 0, 0}));
  EXPECT_STREQ(in.failed_field(), "second");
}

TEST(ByteReaderTest, ViewsBytesInPlace) {
  ByteReader in(kSeven);
  const absl::string_view view = in.View("view", 7);
  EXPECT_EQ(static_cast<const void*>(view.data()), kSeven.data());
  EXPECT_EQ(view.size(), 7U);
  EXPECT_EQ(in.View("nothing", 0), "");
  EXPECT_TRUE(in.ok());
}

TEST(ByteReaderTest, RefusesACountThatWouldOverflowAPointer) {
  ByteReader in(kSeven);
  EXPECT_EQ(in.View("view", SIZE_MAX), "");
  EXPECT_STREQ(in.failed_field(), "view");
}

TEST(ByteReaderTest, ZerosMustBeZero) {
  constexpr std::array<uint8_t, 4> bytes = {0, 0, 1, 0};
  ByteReader good(bytes);
  good.Zeros("reserved", 2);
  EXPECT_TRUE(good.ok());
  ByteReader bad(bytes);
  bad.Zeros("reserved", 4);
  EXPECT_STREQ(bad.failed_field(), "reserved");
  ByteReader shorter(bytes);
  shorter.Zeros("reserved", 5);
  EXPECT_STREQ(shorter.failed_field(), "reserved");
}

TEST(ByteReaderTest, BytesLeftOverAreAFailure) {
  ByteReader in(kSeven);
  in.View("most", 6);
  in.End();
  EXPECT_STREQ(in.failed_field(), "trailing bytes");
}

TEST(ByteReaderTest, AnEmptyBufferHasNothingButAnEnd) {
  ByteReader in({});
  in.End();
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.U8("a"), 0);
  EXPECT_STREQ(in.failed_field(), "a");
}

TEST(ByteWriterTest, WritesLittleEndianIntegersInOrder) {
  std::array<uint8_t, 7> out = {};
  ByteWriter writer(absl::MakeSpan(out));
  writer.U8(0x01);
  writer.U16(0x0302);
  writer.U32(0xff060504U);
  EXPECT_TRUE(writer.ok());
  EXPECT_EQ(writer.size(), 7U);
  EXPECT_EQ(out, kSeven);
}

TEST(ByteWriterTest, CopiesAndPads) {
  std::array<uint8_t, 4> out = {9, 9, 9, 9};
  ByteWriter writer(absl::MakeSpan(out));
  writer.Copy("ab", 2);
  writer.Copy(nullptr, 0);
  writer.Zeros(1);
  EXPECT_TRUE(writer.ok());
  EXPECT_EQ(writer.size(), 3U);
  EXPECT_EQ(out, (std::array<uint8_t, 4>{'a', 'b', 0, 9}));
}

TEST(ByteWriterTest, StaysFailedAndTouchesNothingPastItsBuffer) {
  std::array<uint8_t, 4> out = {9, 9, 9, 9};
  ByteWriter writer(absl::MakeSpan(out).first(3));
  writer.U16(0);
  writer.U32(0);
  writer.U8(1);
  writer.Zeros(1);
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(out, (std::array<uint8_t, 4>{0, 0, 9, 9}));
}

}  // namespace
}  // namespace sockgate
