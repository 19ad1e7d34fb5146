#include "broker/deadline_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace sockgate {
namespace {

TimePoint At(int tick) { return TimePoint(std::chrono::milliseconds(tick)); }

TEST(DeadlineQueueTest, PopsTheEarliestFirst) {
  DeadlineQueue queue;
  queue.Add(At(30), 3);
  queue.Add(At(10), 1);
  queue.Add(At(20), 2);
  EXPECT_EQ(queue.next(), At(10));
  EXPECT_EQ(queue.Pop(), 1U);
  EXPECT_EQ(queue.Pop(), 2U);
  EXPECT_EQ(queue.Pop(), 3U);
  EXPECT_TRUE(queue.empty());
}

TEST(DeadlineQueueTest, WhatIsRemovedIsNotPopped) {
  DeadlineQueue queue;
  const DeadlineQueue::Id first = queue.Add(At(10), 1);
  queue.Add(At(20), 2);
  const DeadlineQueue::Id last = queue.Add(At(30), 3);
  queue.Remove(first);
  queue.Remove(last);
  EXPECT_EQ(queue.next(), At(20));
  EXPECT_EQ(queue.Pop(), 2U);
  EXPECT_TRUE(queue.empty());
}

// Removing from the middle of a heap may have to move the last entry up, not down.
TEST(DeadlineQueueTest, RemovingMovesTheLastEntryUpWhereItMust) {
  DeadlineQueue queue;
  queue.Add(At(1), 1);
  queue.Add(At(100), 100);
  queue.Add(At(2), 2);
  const DeadlineQueue::Id deep = queue.Add(At(101), 101);
  queue.Add(At(102), 102);
  queue.Add(At(3), 3);
  queue.Remove(deep);
  for (const uint64_t expected : {1U, 2U, 3U, 100U, 102U}) EXPECT_EQ(queue.Pop(), expected);
  EXPECT_TRUE(queue.empty());
}

TEST(DeadlineQueueTest, EqualTimesAreAllPopped) {
  DeadlineQueue queue;
  for (uint64_t value = 0; value < 10; ++value) queue.Add(At(7), value);
  std::set<uint64_t> popped;
  while (!queue.empty()) popped.insert(queue.Pop());
  EXPECT_EQ(popped.size(), 10U);
}

// A multimap is the naive queue. Times collide on purpose.
TEST(DeadlineQueueTest, AgreesWithANaiveQueueOverManyRandomOperations) {
  std::mt19937 random(20250806);  // NOLINT(cert-msc51-cpp): the same operations every time
  DeadlineQueue queue;
  std::multimap<TimePoint, uint64_t> naive;
  std::map<uint64_t, DeadlineQueue::Id> ids;
  uint64_t last_value = 0;
  for (int i = 0; i < 100'000; ++i) {
    const unsigned dice = static_cast<unsigned>(random()) % 100;
    if (naive.empty() || dice < 50) {
      const TimePoint when = At(static_cast<int>(random() % 1000));
      ++last_value;
      ids[last_value] = queue.Add(when, last_value);
      naive.emplace(when, last_value);
    } else if (dice < 80) {
      const auto victim = std::next(
          naive.begin(), static_cast<ptrdiff_t>(random() % std::min<size_t>(naive.size(), 64)));
      queue.Remove(ids.at(victim->second));
      ids.erase(victim->second);
      naive.erase(victim);
    } else {
      const TimePoint next = naive.begin()->first;
      ASSERT_EQ(queue.next(), next);
      const uint64_t value = queue.Pop();
      const auto [first, last] = naive.equal_range(next);
      const auto found =
          std::find_if(first, last, [&](const auto& entry) { return entry.second == value; });
      ASSERT_NE(found, last) << "popped a value whose time has not come";
      ids.erase(value);
      naive.erase(found);
    }
    ASSERT_EQ(queue.empty(), naive.empty());
    if (!naive.empty()) {
      ASSERT_EQ(queue.next(), naive.begin()->first) << "operation " << i;
    }
  }
}

}  // namespace
}  // namespace sockgate
