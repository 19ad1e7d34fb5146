#include "client/broker_descriptors.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace sockgate {
namespace {

constexpr size_t kPageEntries = 1024;
constexpr size_t kPages = 1024;

// 0: not in the table. Otherwise the answer in the lowest two bits, whether it is tracked in the
// third, a hash of the address above.
constexpr uint64_t kAnswerBits = 3;
constexpr uint64_t kTracked = 4;
constexpr int kHashShift = 3;
using Entry = std::atomic<uint64_t>;
using Page = std::array<Entry, kPageEntries>;

std::array<std::atomic<Page*>, kPages> g_pages = {};

// FNV-1a. Nobody gains by a collision: whoever can call connect() here can as well name the
// address that is in the table.
uint64_t Hash(const sockaddr* address, socklen_t length) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(address);
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < std::min<size_t>(length, sizeof(sockaddr_storage)); ++i) {
    hash = (hash ^ bytes[i]) * 0x100000001b3;
  }
  return hash << kHashShift;
}

Page* MakePage(std::atomic<Page*>& slot) {
  std::unique_ptr<Page> made(new (std::nothrow) Page());
  Page* page = nullptr;
  if (made == nullptr || !slot.compare_exchange_strong(page, made.get())) return page;
  return made.release();
}

// Null when there is no such entry.
Entry* Find(int fd, bool make) {
  const size_t index = static_cast<size_t>(fd);
  if (fd < 0 || index >= kPages * kPageEntries) return nullptr;
  std::atomic<Page*>& slot = g_pages[index / kPageEntries];
  Page* page = slot;
  if (page == nullptr && make) page = MakePage(slot);
  return page == nullptr ? nullptr : &(*page)[index % kPageEntries];
}

}  // namespace

bool EnterBrokerDescriptor(int fd, const sockaddr* address, socklen_t length, ConnectAnswer answer,
                           bool tracked) {
  Entry* entry = Find(fd, true);
  if (entry == nullptr) return false;
  const uint64_t expected =
      answer == ConnectAnswer::kNone ? 0 : Hash(address, length) | static_cast<uint64_t>(answer);
  *entry = expected | (tracked ? kTracked : 0);
  return true;
}

ConnectAnswer TakeBrokerDescriptor(int fd, const sockaddr* address, socklen_t length) {
  Entry* entry = Find(fd, false);
  if (entry == nullptr || address == nullptr) return ConnectAnswer::kNone;
  uint64_t value = *entry;
  if ((value & kAnswerBits) == 0) return ConnectAnswer::kNone;
  if ((value & ~(kAnswerBits | kTracked)) != Hash(address, length)) return ConnectAnswer::kNone;
  if (!entry->compare_exchange_strong(value, value & kTracked)) return ConnectAnswer::kNone;
  return static_cast<ConnectAnswer>(value & kAnswerBits);
}

bool RemoveBrokerDescriptor(int fd) {
  Entry* entry = Find(fd, false);
  return entry != nullptr && (entry->exchange(0) & kTracked) != 0;
}

}  // namespace sockgate
