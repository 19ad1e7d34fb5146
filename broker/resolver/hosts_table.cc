#include "broker/resolver/hosts_table.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "broker/policy/localhost.h"
#include "proto/limits.h"

namespace sockgate {

absl::StatusOr<HostsTable> HostsTable::Parse(absl::string_view text) {
  HostsTable table;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::Status status = table.AddLine(line); !status.ok()) return status;
  }
  return table;
}

absl::StatusOr<HostsTable> HostsTable::Load(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (file == nullptr) {
    if (errno == ENOENT) return HostsTable();
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  }
  std::string text;
  char part[65536];
  while (const size_t size = std::fread(part, 1, sizeof(part), file.get())) {
    text.append(part, size);
    if (text.size() > kMaxHostsBytes) {
      return absl::ResourceExhaustedError(absl::StrCat(path, " is too long"));
    }
  }
  if (std::ferror(file.get()) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  return Parse(text);
}

absl::Status HostsTable::AddLine(absl::string_view line) {
  line = line.substr(0, line.find('#'));
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, absl::ByAnyChar(" \t\r\v\f"), absl::SkipEmpty());
  if (words.size() < 2) return absl::OkStatus();
  const std::optional<IpAddress> address = IpAddress::Parse(words[0]);
  if (!address.has_value()) return absl::OkStatus();
  for (size_t i = 1; i < words.size(); ++i) {
    const absl::string_view name = absl::StripSuffix(words[i], ".");
    if (name.empty() || name.size() > kMaxNameBytes) continue;
    std::vector<IpAddress>& known = names_[absl::AsciiStrToLower(name)];
    if (names_.size() > kMaxHostsNames) {
      return absl::ResourceExhaustedError("the hosts file has too many names");
    }
    const bool again = std::find(known.begin(), known.end(), *address) != known.end();
    if (!again && known.size() < 2 * kMaxAddressesPerFamily) known.push_back(*address);
  }
  return absl::OkStatus();
}

const std::vector<IpAddress>* HostsTable::Find(absl::string_view name) const {
  if (IsLocalhost(name)) return &LocalhostAddresses();
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second;
}

}  // namespace sockgate
