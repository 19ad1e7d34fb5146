// NameBook: which names the broker itself has resolved to an address, for one worker. A rule on a
// host holds for an address only under such a lease.
//
// Process: broker, the loop's thread; a part of the worker's record. Reads no clock. Neither Find()
// nor a lease that is there already allocates anything.
// Hostile input: the worker, which chooses the names, and the name servers, which choose the
// addresses. So the book is bounded twice: in leases, where the oldest goes when there are too
// many, and in names for one address, which a decision goes through one by one.

#ifndef SOCKGATE_BROKER_NAME_BOOK_H_
#define SOCKGATE_BROKER_NAME_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "broker/deadline_queue.h"
#include "broker/policy/host_name.h"
#include "broker/policy/policy.h"
#include "proto/ip_address.h"

namespace sockgate {

class NameBook {
 public:
  static constexpr size_t kMostNamesOfAnAddress = 64;

  NameBook() = default;
  NameBook(const NameBook&) = delete;
  NameBook& operator=(const NameBook&) = delete;

  // The name leads to the address, for as long as is said. A lease that is there already is as good
  // as new, and never gets shorter. Then at most `most` leases stay.
  void Lease(const IpAddress& address, const HostName& name, TimePoint until, TimePoint now,
             size_t most);

  // The names of the address, in the order of their leases, the oldest first. Good until the book
  // is touched again.
  Names Find(const IpAddress& address, TimePoint now);

  size_t size() const { return leases_.size(); }

 private:
  struct OneLease {
    IpAddress address;
    HostName name;
    TimePoint until;
  };
  using Leases = std::list<OneLease>;

  // In the same order: names[i] is that of leases[i].
  struct Held {
    std::vector<Leases::iterator> leases;
    std::vector<const HostName*> names;
  };

  struct Bytes {
    size_t operator()(const IpAddress& address) const;
  };

  void Expire(TimePoint now);
  // False: the address has no such name.
  bool Renew(Held* held, const HostName& name, TimePoint until);
  void Add(const IpAddress& address, const HostName& name, TimePoint until);
  void Remove(const OneLease& lease);

  Leases leases_;                                         // the oldest first
  std::set<std::pair<TimePoint, const OneLease*>> ends_;  // the next one to end first
  absl::flat_hash_map<IpAddress, Held, Bytes> by_address_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_NAME_BOOK_H_
