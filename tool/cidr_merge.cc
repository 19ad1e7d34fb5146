#include "tool/cidr_merge.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace sockgate {
namespace {

struct Block {
  IpAddress base;
  int prefix;
};

uint8_t BitMask(int bit) { return static_cast<uint8_t>(0x80 >> (bit % 8)); }

// Whether `high` is the upper half of a range whose lower half is `low`. Their bases have no bits
// set beyond their prefix.
bool AreHalves(const Block& low, const Block& high) {
  if (low.prefix != high.prefix || low.prefix == 0) return false;
  if (low.base.size() != high.base.size()) return false;
  const int bit = low.prefix - 1;
  const size_t size = low.base.size();
  for (size_t i = 0; i < size; ++i) {
    const uint8_t expected = i == static_cast<size_t>(bit) / 8 ? BitMask(bit) : uint8_t{0};
    const int difference = low.base.data()[i] ^ high.base.data()[i];
    if (difference != expected) return false;
  }
  return true;
}

}  // namespace

bool AddressOrder::operator()(const IpAddress& a, const IpAddress& b) const {
  if (a.size() != b.size()) return a.size() < b.size();
  return std::memcmp(a.data(), b.data(), a.size()) < 0;
}

// Sorted, the lower half of a range is complete before the first address of the upper one comes.
std::vector<Cidr> MergeAddresses(std::vector<IpAddress> addresses) {
  std::sort(addresses.begin(), addresses.end(), AddressOrder());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  std::vector<Block> blocks;
  for (const IpAddress& address : addresses) {
    blocks.push_back({address, address.bits()});
    while (blocks.size() > 1 && AreHalves(blocks[blocks.size() - 2], blocks.back())) {
      blocks.pop_back();
      --blocks.back().prefix;
    }
  }
  std::vector<Cidr> ranges;
  ranges.reserve(blocks.size());
  for (const Block& block : blocks) {
    ranges.push_back(Cidr::Around(block.base, block.prefix));
  }
  return ranges;
}

}  // namespace sockgate
