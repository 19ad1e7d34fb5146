#include "client/service_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "proto/unique_fd.h"

namespace sockgate {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20;

// The services of the schemes that libcurl knows.
constexpr char kWellKnown[] = R"(
ftp    21/tcp
ssh    22/tcp
telnet 23/tcp
smtp   25/tcp mail
domain 53/tcp
domain 53/udp
tftp   69/udp
gopher 70/tcp
http   80/tcp www
pop3   110/tcp
imap2  143/tcp imap
ldap   389/tcp
https  443/tcp
https  443/udp
ldaps  636/tcp
ftps   990/tcp
imaps  993/tcp
pop3s  995/tcp
mqtt   1883/tcp
)";

std::string ReadSome(const char* path) {
  std::string text;
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return text;
  char buffer[4096];
  ssize_t got;
  while (text.size() < kMaxFileBytes && (got = read(file.get(), buffer, sizeof(buffer))) > 0) {
    text.append(buffer, static_cast<size_t>(got));
  }
  return text;
}

}  // namespace

ServiceTable ServiceTable::OfSystem() {
  ServiceTable table = Parse(ReadSome("/etc/services"));
  return table.entries_.empty() ? Parse(kWellKnown) : table;
}

ServiceTable ServiceTable::Parse(absl::string_view text) {
  ServiceTable table;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) table.AddLine(line);
  std::stable_sort(table.entries_.begin(), table.entries_.end(), [](const auto& a, const auto& b) {
    return std::tie(a.name, a.protocol) < std::tie(b.name, b.protocol);
  });
  return table;
}

// name port/protocol alias... # comment
void ServiceTable::AddLine(absl::string_view line) {
  line = line.substr(0, line.find('#'));
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
  if (words.size() < 2) return;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(words[1], absl::MaxSplits('/', 1));
  uint32_t port;
  if (!absl::SimpleAtoi(parts.first, &port) || port > UINT16_MAX || parts.second.empty()) return;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i == 1) continue;
    entries_.push_back(
        {std::string(words[i]), std::string(parts.second), static_cast<uint16_t>(port)});
  }
}

std::optional<uint16_t> ServiceTable::Port(absl::string_view name,
                                           absl::string_view protocol) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), std::make_pair(name, protocol),
                       [](const Entry& entry, const auto& key) {
                         return std::make_pair(absl::string_view(entry.name),
                                               absl::string_view(entry.protocol)) < key;
                       });
  if (found == entries_.end() || found->name != name || found->protocol != protocol) {
    return std::nullopt;
  }
  return found->port;
}

}  // namespace sockgate
