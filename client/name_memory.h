// NameMemory: which names led this worker to an address, and which of its brokers know that.
//
// A rule on a host holds for an address only where the broker itself has looked the name up for
// this worker. One that was started anew has not, while libcurl goes on connecting to the addresses
// of before. So it is asked for these names first.
//
// Process: worker, confined. Threads: any, under one lock; does not block.
// Memory: kMostAddresses, the oldest forgotten first, and kMostNames of each.

#ifndef SOCKGATE_CLIENT_NAME_MEMORY_H_
#define SOCKGATE_CLIENT_NAME_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "proto/ip_address.h"

namespace sockgate {

class NameMemory {
 public:
  static constexpr size_t kMostAddresses = 1024;
  // A worker that goes to more names of one address than this has to look the others up itself.
  static constexpr size_t kMostNames = 8;

  // The name leads to these addresses, as the broker of this number said. Numbers grow.
  void Note(absl::string_view name, const std::vector<IpAddress>& addresses, uint32_t broker);

  // The names of the address that this broker has not been asked for, the newest first.
  std::vector<std::string> UnknownTo(uint32_t broker, const IpAddress& address) const;

  // The broker has been asked for the name, and has said what there is to say about the address.
  void NoteAsked(absl::string_view name, const IpAddress& address, uint32_t broker);

 private:
  struct Named {
    std::string name;
    uint32_t broker;
  };

  static std::string KeyOf(const IpAddress& address);
  void NoteOne(absl::string_view name, const IpAddress& address, uint32_t broker);

  mutable std::mutex mutex_;
  absl::flat_hash_map<std::string, std::vector<Named>> names_;  // the oldest name first
  std::deque<std::string> order_;                               // of the keys, the oldest first
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_NAME_MEMORY_H_
