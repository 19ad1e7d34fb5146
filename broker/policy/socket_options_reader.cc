#include "broker/policy/socket_options_reader.h"

#include <net/if.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "broker/policy/toml_table.h"

namespace sockgate {
namespace {

// What the kernel takes: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT, TCP_CA_NAME_MAX.
constexpr uint32_t kMostKeepaliveSeconds = 32767;
constexpr uint32_t kMostKeepaliveProbes = 127;
constexpr size_t kMostCongestionControlBytes = 15;
constexpr size_t kMostInterfaceBytes = IFNAMSIZ - 1;

void ReadSource(const TomlValue& value, SocketOptions* options, Findings* findings) {
  const std::string& text = *value.string();
  const auto address = IpAddress::Parse(text);
  if (!address.has_value() || address->is_unspecified()) {
    findings->Error(value.at, absl::StrCat(Quoted(text), " is no address that a socket can have"),
                    "write an address, as in \"192.0.2.7\"");
    return;
  }
  auto& place = address->is_v4() ? options->source_v4 : options->source_v6;
  if (place.has_value()) {
    findings->Error(
        value.at,
        absl::StrCat(Quoted(text), " is the second ", address->is_v4() ? "IPv4" : "IPv6",
                     " address that 'source' names"),
        "write at most one of each family");
  }
  place = *address;
}

bool IsNameByte(char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '/'; }

// The name of an interface or an algorithm.
std::string ReadName(TomlTable* table, absl::string_view key, size_t most, absl::string_view what,
                     absl::string_view example) {
  const TomlEntry* entry = table->FindString(key);
  if (entry == nullptr) return {};
  const std::string& name = *entry->value.string();
  bool good = !name.empty() && name.size() <= most && name != "." && name != "..";
  for (const char c : name) good = good && IsNameByte(c);
  if (good) return name;
  table->findings()->Error(
      entry->value.at, absl::StrCat(Quoted(name), " is no name of ", what),
      absl::StrCat("write 1 to ", most, " letters and digits, as in ", example));
  return {};
}

std::optional<Keepalive> ReadKeepalive(TomlTable* table) {
  const TomlEntry* entry = table->Find("keepalive");
  if (entry == nullptr) return std::nullopt;
  if (const bool* wanted = entry->value.boolean()) {
    if (!*wanted) return std::nullopt;
    return Keepalive();
  }
  if (entry->value.table() == nullptr) {
    WrongType("keepalive", "a boolean or a table", entry->value,
              "write true, or { idle_s = 60, interval_s = 10, probes = 5 }", table->findings());
    return std::nullopt;
  }
  TomlTable times(*entry->value.table(), "'keepalive'", table->findings());
  Keepalive keepalive;
  keepalive.idle_s = times.Integer("idle_s", 1, kMostKeepaliveSeconds).value_or(keepalive.idle_s);
  keepalive.interval_s =
      times.Integer("interval_s", 1, kMostKeepaliveSeconds).value_or(keepalive.interval_s);
  keepalive.probes = times.Integer("probes", 1, kMostKeepaliveProbes).value_or(keepalive.probes);
  times.Finish();
  return keepalive;
}

}  // namespace

SocketOptions ReadSocketOptions(const TomlValue::Table& entries, Findings* findings) {
  TomlTable table(entries, "'sockets'", findings);
  SocketOptions options;
  if (const TomlEntry* source = table.Find("source")) {
    for (const TomlValue* value : StringOrStrings(*source, "\"192.0.2.7\"", findings)) {
      ReadSource(*value, &options, findings);
    }
  }
  options.interface =
      ReadName(&table, "interface", kMostInterfaceBytes, "an interface", "\"eth0\"");
  options.mark = table.Integer("mark", 0, UINT32_MAX);
  if (const auto tos = table.Integer("tos", 0, UINT8_MAX)) options.tos = static_cast<uint8_t>(*tos);
  options.keepalive = ReadKeepalive(&table);
  options.user_timeout_ms = table.Integer("user_timeout_ms", 1, INT32_MAX);
  options.congestion_control = ReadName(&table, "congestion_control", kMostCongestionControlBytes,
                                        "a congestion control", "\"bbr\"");
  table.Finish();
  return options;
}

}  // namespace sockgate
