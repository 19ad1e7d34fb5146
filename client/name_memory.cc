#include "client/name_memory.h"

#include <algorithm>

namespace sockgate {

void NameMemory::Note(absl::string_view name, const std::vector<IpAddress>& addresses,
                      uint32_t broker) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const IpAddress& address : addresses) NoteOne(name, address, broker);
}

void NameMemory::NoteOne(absl::string_view name, const IpAddress& address, uint32_t broker) {
  std::string key = KeyOf(address);
  std::vector<Named>& named = names_[key];
  if (named.empty()) order_.push_back(std::move(key));
  const auto known =
      std::find_if(named.begin(), named.end(), [&](const Named& one) { return one.name == name; });
  if (known != named.end()) {
    known->broker = broker;
    std::rotate(known, known + 1, named.end());
  } else {
    if (named.size() == kMostNames) named.erase(named.begin());
    named.push_back({std::string{name}, broker});
  }
  if (order_.size() <= kMostAddresses) return;
  names_.erase(order_.front());
  order_.pop_front();
}

std::vector<std::string> NameMemory::UnknownTo(uint32_t broker, const IpAddress& address) const {
  std::vector<std::string> unknown;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = names_.find(KeyOf(address));
  if (found == names_.end()) return unknown;
  for (auto one = found->second.rbegin(); one != found->second.rend(); ++one) {
    if (one->broker < broker) unknown.push_back(one->name);
  }
  return unknown;
}

void NameMemory::NoteAsked(absl::string_view name, const IpAddress& address, uint32_t broker) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = names_.find(KeyOf(address));
  if (found == names_.end()) return;
  for (Named& one : found->second) {
    if (one.name == name) one.broker = broker;
  }
}

std::string NameMemory::KeyOf(const IpAddress& address) {
  return {reinterpret_cast<const char*>(address.data()), address.size()};
}

}  // namespace sockgate
