// Fuzzes the book of leases against a list that is gone through from end to end: after every step
// the two must agree on every address.
//
//   bazel run --config=fuzz //tests/fuzz:name_book_fuzzer -- -max_total_time=30
//
// A step is three bytes: what to do, which address and name, for how long.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/name_book.h"
#include "proto/check.h"

namespace sockgate {
namespace {

constexpr uint8_t kAddresses = 4;
constexpr uint8_t kNames = 80;  // more than one address may have
constexpr size_t kMostLeases = 90;

IpAddress Address(uint8_t number) {
  if (number % 2 == 0) return IpAddress::V4({9, 9, 9, number});
  return IpAddress::V6({0x26, 0x20, 0, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number});
}

const HostName& Name(uint8_t number) {
  static const std::vector<HostName> names = [] {
    std::vector<HostName> all;
    for (int i = 0; i < kNames; ++i) all.push_back(*HostName::Parse("n" + std::to_string(i)));
    return all;
  }();
  return names[number];
}

// The oldest lease first.
class Model {
 public:
  void Lease(const IpAddress& address, uint8_t name, TimePoint until, TimePoint now, size_t most) {
    Expire(now);
    const auto same = std::find_if(leases_.begin(), leases_.end(), [&](const One& one) {
      return one.address == address && one.name == name;
    });
    if (same != leases_.end()) {
      until = std::max(until, same->until);
      leases_.erase(same);
    } else if (Find(address, now).size() == NameBook::kMostNamesOfAnAddress) {
      leases_.erase(std::find_if(leases_.begin(), leases_.end(),
                                 [&](const One& one) { return one.address == address; }));
    }
    if (until > now) leases_.push_back({address, name, until});
    while (leases_.size() > most) leases_.erase(leases_.begin());
  }

  std::vector<uint8_t> Find(const IpAddress& address, TimePoint now) {
    Expire(now);
    std::vector<uint8_t> names;
    for (const One& one : leases_) {
      if (one.address == address) names.push_back(one.name);
    }
    return names;
  }

  size_t size() const { return leases_.size(); }

 private:
  struct One {
    IpAddress address;
    uint8_t name;
    TimePoint until;
  };

  void Expire(TimePoint now) {
    leases_.erase(std::remove_if(leases_.begin(), leases_.end(),
                                 [&](const One& one) { return one.until <= now; }),
                  leases_.end());
  }

  std::vector<One> leases_;
};

void CheckAlike(NameBook* book, Model* model, const IpAddress& address, TimePoint now) {
  const Names names = book->Find(address, now);
  const std::vector<uint8_t> expected = model->Find(address, now);
  SOCKGATE_CHECK(names.size() == expected.size());
  for (size_t i = 0; i < names.size(); ++i) SOCKGATE_CHECK(*names[i] == Name(expected[i]));
  SOCKGATE_CHECK(book->size() == model->size());
}

void Act(NameBook* book, Model* model, TimePoint* now, const uint8_t* bytes) {
  const std::chrono::seconds time(bytes[2]);
  const IpAddress address = Address(bytes[1] % kAddresses);
  if (bytes[0] >= 0xf0) {
    *now += time;
  } else {
    const auto name = static_cast<uint8_t>(bytes[0] % kNames);
    // Mostly the same bound, and sometimes a reload's.
    const size_t most = bytes[1] >= 0xf0 ? bytes[1] - 0xf0U : kMostLeases;
    book->Lease(address, Name(name), *now + time, *now, most);
    model->Lease(address, name, *now + time, *now, most);
  }
  CheckAlike(book, model, address, *now);
}

}  // namespace
}  // namespace sockgate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sockgate::NameBook book;
  sockgate::Model model;
  sockgate::TimePoint now;
  for (size_t at = 0; at + 3 <= size; at += 3) sockgate::Act(&book, &model, &now, data + at);
  for (uint8_t i = 0; i < sockgate::kAddresses; ++i) {
    sockgate::CheckAlike(&book, &model, sockgate::Address(i), now);
  }
  return 0;
}
