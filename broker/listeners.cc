#include "broker/listeners.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sockgate {

absl::Status Listeners::Check(const std::vector<ListenAt>& wanted, const RoleTable& roles) {
  std::set<absl::string_view> paths;
  for (const ListenAt& at : wanted) {
    if (roles.Find(at.role) == nullptr) {
      return absl::NotFoundError(absl::StrCat("no role is named ", at.role));
    }
    if (!paths.insert(at.path).second) {
      return absl::InvalidArgumentError(absl::StrCat("two listeners are at ", at.path));
    }
  }
  return absl::OkStatus();
}

absl::Status Listeners::Replace(const std::vector<ListenAt>& wanted, const RoleTable& roles) {
  Map added;
  absl::Status status = Open(wanted, roles, &added);
  if (!status.ok()) return status;
  std::vector<std::pair<Listener*, ListenAt>> kept;
  std::set<absl::string_view> paths;
  for (const ListenAt& at : wanted) {
    paths.insert(at.path);
    if (added.count(at.path) == 0) kept.emplace_back(all_.at(at.path).get(), at);
  }
  status = Grant(kept);
  if (!status.ok()) return status;
  // From here on nothing can fail.
  for (const auto& [listener, at] : kept) listener->Change(at, roles.Find(at.role));
  for (auto at = all_.begin(); at != all_.end();) {
    const bool stays = paths.count(at->first) != 0 && added.count(at->first) == 0;
    at = stays ? std::next(at) : all_.erase(at);
  }
  all_.merge(added);
  return absl::OkStatus();
}

absl::Status Listeners::Add(const ListenAt& at, const RoleTable& roles) {
  if (absl::Status status = Check({at}, roles); !status.ok()) return status;
  auto listener = Listener::Create(at, roles.Find(at.role), loop_, host_);
  if (!listener.ok()) return listener.status();
  all_.emplace(at.path, *std::move(listener));
  return absl::OkStatus();
}

absl::Status Listeners::Open(const std::vector<ListenAt>& wanted, const RoleTable& roles,
                             Map* added) const {
  for (const ListenAt& at : wanted) {
    const auto found = all_.find(at.path);
    if (found != all_.end() && found->second->HoldsPath()) continue;
    auto listener = Listener::Create(at, roles.Find(at.role), loop_, host_);
    if (!listener.ok()) return listener.status();
    added->emplace(at.path, *std::move(listener));
  }
  return absl::OkStatus();
}

absl::Status Listeners::Grant(const std::vector<std::pair<Listener*, ListenAt>>& kept) {
  for (size_t i = 0; i < kept.size(); ++i) {
    const absl::Status status = kept[i].first->Grant(kept[i].second);
    if (status.ok()) continue;
    for (size_t j = 0; j <= i; ++j) kept[j].first->Restore(kept[j].second);
    return status;
  }
  return absl::OkStatus();
}

}  // namespace sockgate
