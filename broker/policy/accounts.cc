#include "broker/policy/accounts.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "broker/policy/toml_table.h"

namespace sockgate {
namespace {

// What getpwnam_r(3) and getgrnam_r(3) have in common: they say ERANGE until the buffer suffices.
template <typename Entry, typename Find>
bool FindByName(const std::string& name, Find find, Entry* entry) {
  constexpr size_t kMostBytes = 1 << 20;
  for (size_t bytes = 4096; bytes <= kMostBytes; bytes *= 4) {
    std::vector<char> buffer(bytes);
    Entry* found = nullptr;
    const int error = find(name.c_str(), entry, buffer.data(), buffer.size(), &found);
    if (error != ERANGE) return found != nullptr;
  }
  return false;
}

std::optional<uint32_t> FindUser(const std::string& name) {
  passwd entry;
  if (!FindByName(name, getpwnam_r, &entry)) return std::nullopt;
  return entry.pw_uid;
}

std::optional<uint32_t> FindGroup(const std::string& name) {
  group entry;
  if (!FindByName(name, getgrnam_r, &entry)) return std::nullopt;
  return entry.gr_gid;
}

std::optional<uint32_t> ReadNumber(absl::string_view key, const TomlValue& value,
                                   Findings* findings) {
  // The last one means "no change" to chown(2).
  constexpr uint32_t kMost = UINT32_MAX - 1;
  const int64_t number = *value.integer();
  if (0 <= number && number <= kMost) return static_cast<uint32_t>(number);
  findings->Error(value.at, absl::StrCat("'", key, "' cannot be ", number),
                  absl::StrCat("write 0 to ", kMost));
  return std::nullopt;
}

std::optional<uint32_t> ReadAccount(absl::string_view key, const TomlValue& value,
                                    absl::string_view kind,
                                    std::optional<uint32_t> (*find)(const std::string&),
                                    Findings* findings) {
  if (value.integer() != nullptr) return ReadNumber(key, value, findings);
  if (value.string() == nullptr) {
    WrongType(key, "a name or a number", value, "write \"root\" or 0", findings);
    return std::nullopt;
  }
  const std::string& name = *value.string();
  // To the C library a name ends at its first NUL.
  const auto found = name.find('\0') == std::string::npos ? find(name) : std::nullopt;
  uint32_t number;
  if (!found.has_value()) {
    findings->Error(value.at, absl::StrCat("this machine knows no ", kind, " ", Quoted(name)),
                    absl::SimpleAtoi(name, &number)
                        ? absl::StrCat("write ", number, " without quotes")
                        : absl::StrCat("write the name of a ", kind, ", or its number"));
  }
  return found;
}

}  // namespace

std::optional<uid_t> ReadUser(absl::string_view key, const TomlValue& value, Findings* findings) {
  return ReadAccount(key, value, "user", FindUser, findings);
}

std::optional<gid_t> ReadGroup(absl::string_view key, const TomlValue& value, Findings* findings) {
  return ReadAccount(key, value, "group", FindGroup, findings);
}

}  // namespace sockgate
