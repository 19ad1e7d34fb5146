// TransferBook: all unfinished transfers of a pool: which wait, which are under suspicion, and which
// are under way where.
//
// Process: the launcher. Pure: no I/O and no clock.
// Ownership: owns the transfers.
// Threads: one at a time.
// Hostile inputs: Judge() takes frames from a worker. What it lets through is in order: of a
// transfer that this worker has, head before body before result, nothing twice, no more of the body
// than its max_filesize.
// Failure: a fault is a literal that names it.

#ifndef SOCKGATE_CLIENT_LAUNCH_POOL_TRANSFER_BOOK_H_
#define SOCKGATE_CLIENT_LAUNCH_POOL_TRANSFER_BOOK_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "client/pool/frame.h"
#include "client/pool/transfer.h"

namespace sockgate::launch {

using TimePoint = std::chrono::steady_clock::time_point;

struct TransferEntry {
  enum class Place {
    kWaiting,
    kSuspect,   // waits too, to be alone in a worker: the one before ended under it
    kUnderWay,  // in `worker`
  };

  Transfer transfer;
  Place place = Place::kWaiting;
  uint32_t attempts = 0;
  uint32_t worker = 0;
  bool alone = false;
  bool cancelled = false;
  TimePoint deadline;  // of its worker's answer
  bool headed = false;
  uint64_t body_bytes = 0;
};

class TransferBook {
 public:
  // The id is new.
  void Add(TransferId id, Transfer transfer);

  // Null: it is finished, or never was. Until the next Add() or Erase().
  TransferEntry* Find(TransferId id);
  const TransferEntry* Find(TransferId id) const;

  void Erase(TransferId id);

  // The first of those; nothing: there is none. Begin() or Erase() it.
  std::optional<TransferId> NextWaiting() {
    return Next(&waiting_, TransferEntry::Place::kWaiting);
  }
  std::optional<TransferId> NextSuspect() {
    return Next(&suspects_, TransferEntry::Place::kSuspect);
  }

  void Begin(TransferId id, uint32_t worker, TimePoint deadline);

  // Its worker has ended under it.
  void Suspect(TransferId id);

  // Null: it may be passed on, and is noted. Otherwise what is wrong with it. kDone leaves the entry.
  const char* Judge(const Frame& frame, uint32_t worker);

  std::vector<TransferId> Waiting() const;  // suspects too
  std::vector<TransferId> All() const;
  size_t size() const { return entries_.size(); }
  size_t waiting() const { return waiting_count_; }

 private:
  using Queue = std::deque<TransferId>;

  std::vector<TransferId> Ids(bool under_way_too) const;
  std::optional<TransferId> Next(Queue* queue, TransferEntry::Place place);

  absl::flat_hash_map<TransferId, TransferEntry> entries_;
  // What was erased meanwhile is left out when its turn comes.
  Queue waiting_;
  Queue suspects_;
  size_t waiting_count_ = 0;
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_POOL_TRANSFER_BOOK_H_
