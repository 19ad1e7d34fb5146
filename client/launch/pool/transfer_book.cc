#include "client/launch/pool/transfer_book.h"

#include <algorithm>
#include <utility>

namespace sockgate::launch {

using Place = TransferEntry::Place;

void TransferBook::Add(TransferId id, Transfer transfer) {
  entries_[id].transfer = std::move(transfer);
  waiting_.push_back(id);
  ++waiting_count_;
}

TransferEntry* TransferBook::Find(TransferId id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

const TransferEntry* TransferBook::Find(TransferId id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

void TransferBook::Erase(TransferId id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  if (found->second.place != Place::kUnderWay) --waiting_count_;
  entries_.erase(found);
}

std::optional<TransferId> TransferBook::Next(Queue* queue, Place place) {
  while (!queue->empty()) {
    const TransferId id = queue->front();
    const TransferEntry* entry = Find(id);
    if (entry != nullptr && entry->place == place) return id;
    queue->pop_front();
  }
  return std::nullopt;
}

void TransferBook::Begin(TransferId id, uint32_t worker, TimePoint deadline) {
  TransferEntry& entry = entries_[id];
  entry.alone = entry.place == Place::kSuspect;
  entry.place = Place::kUnderWay;
  entry.worker = worker;
  entry.deadline = deadline;
  entry.headed = false;
  entry.body_bytes = 0;
  ++entry.attempts;
  --waiting_count_;
}

void TransferBook::Suspect(TransferId id) {
  entries_[id].place = Place::kSuspect;
  suspects_.push_back(id);
  ++waiting_count_;
}

std::vector<TransferId> TransferBook::Waiting() const { return Ids(/*under_way_too=*/false); }

std::vector<TransferId> TransferBook::All() const { return Ids(/*under_way_too=*/true); }

// In the order in which they were added.
std::vector<TransferId> TransferBook::Ids(bool under_way_too) const {
  std::vector<TransferId> ids;
  for (const auto& [id, entry] : entries_) {
    if (under_way_too || entry.place != Place::kUnderWay) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

const char* TransferBook::Judge(const Frame& frame, uint32_t worker) {
  TransferEntry* entry = Find(frame.id);
  if (entry == nullptr || entry->place != Place::kUnderWay || entry->worker != worker) {
    return "a transfer that is not its own";
  }
  if (frame.type == FrameType::kHead) {
    if (entry->headed) return "a second head";
    entry->headed = true;
  }
  if (frame.type == FrameType::kBody) {
    if (!entry->headed) return "a body without a head";
    if (entry->transfer.output >= 0) return "a body that was to be written";
    const uint64_t most = entry->transfer.max_filesize;
    if (most != 0 && frame.payload.size() > most - entry->body_bytes) return "too large a body";
    entry->body_bytes += frame.payload.size();
  }
  return nullptr;
}

}  // namespace sockgate::launch
