#include "broker/policy/resolver_reader.h"

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "broker/policy/host_name.h"
#include "broker/policy/toml_table.h"

namespace sockgate {
namespace {

constexpr absl::string_view kServerExample = "[\"192.0.2.53\", \"[2001:db8::53]:5353\"]";
constexpr absl::string_view kSearchExample = "\"corp.example\"";

void TooMany(const TomlEntry& entry, size_t most, Findings* findings) {
  findings->Error(entry.value.at, absl::StrCat("'", entry.key, "' has too many"),
                  absl::StrCat("write at most ", most));
}

void ReadServers(TomlTable* table, ResolverOptions* options) {
  const TomlEntry* servers = table->Find("servers");
  if (servers == nullptr) return;
  Findings* const findings = table->findings();
  for (const TomlValue* value : StringOrStrings(*servers, kServerExample, findings)) {
    const auto server = ParseNameServer(*value->string());
    if (server.has_value()) {
      options->servers.push_back(*server);
    } else {
      findings->Error(value->at, absl::StrCat(Quoted(*value->string()), " is no name server"),
                      "write an address, as in \"192.0.2.53\" or \"[2001:db8::53]:5353\"");
    }
  }
  if (options->servers.size() > kMaxResolverServers) {
    TooMany(*servers, kMaxResolverServers, findings);
  }
}

void ReadSearch(TomlTable* table, ResolverOptions* options) {
  const TomlEntry* search = table->Find("search");
  if (search == nullptr) return;
  Findings* const findings = table->findings();
  for (const TomlValue* value : StringOrStrings(*search, kSearchExample, findings)) {
    const auto domain = HostName::Parse(*value->string());
    if (domain.ok()) {
      options->search.emplace_back(domain->text());
    } else {
      findings->Error(value->at,
                      absl::StrCat(Quoted(*value->string()), " ", domain.status().message()),
                      absl::StrCat("write a domain, as in ", kSearchExample));
    }
  }
  if (options->search.size() > kMaxSearchDomains) TooMany(*search, kMaxSearchDomains, findings);
}

void ReadHosts(TomlTable* table, ResolverOptions* options) {
  const TomlEntry* hosts = table->FindString("hosts");
  if (hosts == nullptr) return;
  const std::string& path = *hosts->value.string();
  const bool good = path.empty() || (path[0] == '/' && path.size() <= kMaxResolverPathBytes &&
                                     path.find('\0') == std::string::npos);
  if (good) {
    options->hosts_file = path;
    if (path.empty() || access(path.c_str(), R_OK) == 0) return;
    table->findings()->Warn(hosts->value.at, absl::StrCat(Quoted(path), " cannot be read here"),
                            "make it readable to the broker");
    return;
  }
  table->findings()->Error(hosts->value.at, absl::StrCat(Quoted(path), " is no absolute path"),
                           "write the whole path, as in \"/etc/hosts\", or \"\" for no file");
}

void ReadTtl(TomlTable* table, TtlBounds* ttl) {
  const TomlEntry* least = table->Find("min_ttl_s");
  ttl->least_s = table->Integer("min_ttl_s", 0, kMaxTtlSeconds).value_or(ttl->least_s);
  ttl->most_s = table->Integer("max_ttl_s", 1, kMaxTtlSeconds).value_or(ttl->most_s);
  ttl->most_negative_s =
      table->Integer("max_negative_ttl_s", 0, kMaxTtlSeconds).value_or(ttl->most_negative_s);
  if (ttl->least_s <= ttl->most_s || least == nullptr) return;
  table->findings()->Error(least->value.at, "'min_ttl_s' is more than 'max_ttl_s'",
                           absl::StrCat("write at most ", ttl->most_s));
}

}  // namespace

ResolverOptions ReadResolver(const TomlValue::Table& entries, Findings* findings) {
  TomlTable table(entries, "[resolver]", findings);
  ResolverOptions options;
  ReadServers(&table, &options);
  options.timeout_ms = table.Integer("timeout_ms", 1, kMaxResolverTimeoutMs);
  options.tries = table.Integer("tries", 1, kMaxResolverTries);
  ReadSearch(&table, &options);
  options.ndots = table.Integer("ndots", 0, kMaxNdots);
  ReadHosts(&table, &options);
  ReadTtl(&table, &options.ttl);
  table.Finish();
  return options;
}

}  // namespace sockgate
