#include "proto/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <type_traits>

namespace sockgate {
namespace {

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

int OpenOne() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

static_assert(!std::is_copy_constructible_v<UniqueFd> && !std::is_copy_assignable_v<UniqueFd>);
static_assert(!std::is_convertible_v<int, UniqueFd>, "taking a descriptor must be visible");
static_assert(std::is_nothrow_move_constructible_v<UniqueFd>);

TEST(UniqueFdTest, OwnsNothingAtFirst) {
  const UniqueFd fd;
  EXPECT_FALSE(fd.valid());
  EXPECT_EQ(fd.get(), -1);
}

TEST(UniqueFdTest, ClosesWhenItEnds) {
  const int number = OpenOne();
  {
    const UniqueFd fd(number);
    EXPECT_TRUE(fd.valid());
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(UniqueFdTest, TakesZeroForADescriptor) {
  UniqueFd fd(0);
  EXPECT_TRUE(fd.valid());
  EXPECT_EQ(fd.Release(), 0);
}

TEST(UniqueFdTest, MovesOwnership) {
  const int number = OpenOne();
  UniqueFd from(number);
  UniqueFd to(std::move(from));
  EXPECT_FALSE(from.valid());  // NOLINT(bugprone-use-after-move): this is what is tested
  EXPECT_EQ(to.get(), number);
  EXPECT_TRUE(IsOpen(number));
}

TEST(UniqueFdTest, ClosesWhatAnAssignmentReplaces) {
  const int old_number = OpenOne();
  const int new_number = OpenOne();
  UniqueFd fd(old_number);
  fd = UniqueFd(new_number);
  EXPECT_FALSE(IsOpen(old_number));
  EXPECT_EQ(fd.get(), new_number);
}

TEST(UniqueFdTest, SurvivesAnAssignmentToItself) {
  UniqueFd fd(OpenOne());
  UniqueFd& same = fd;
  fd = std::move(same);
  EXPECT_TRUE(IsOpen(fd.get()));
}

TEST(UniqueFdTest, ReleaseGivesUpWithoutClosing) {
  UniqueFd fd(OpenOne());
  const int number = fd.Release();
  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(IsOpen(number));
  fd.Reset(number);
}

TEST(UniqueFdTest, ResetClosesAndTakesAnother) {
  const int first = OpenOne();
  const int second = OpenOne();
  UniqueFd fd(first);
  fd.Reset(second);
  EXPECT_FALSE(IsOpen(first));
  EXPECT_TRUE(IsOpen(second));
  fd.Reset();
  EXPECT_FALSE(IsOpen(second));
  EXPECT_FALSE(fd.valid());
}

// With the close(2) of libc this ends the program.
TEST(UniqueFdTest, AThreadThatIsCancelledCloses) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "it closes by libc there";
#endif
  int number = OpenOne();
  pthread_t thread;
  const auto close_cancelled = [](void* descriptor) -> void* {
    const UniqueFd fd(*static_cast<int*>(descriptor));
    pthread_cancel(pthread_self());
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, nullptr, close_cancelled, &number), 0);
  EXPECT_EQ(pthread_join(thread, nullptr), 0);
  EXPECT_FALSE(IsOpen(number));
}

}  // namespace
}  // namespace sockgate
