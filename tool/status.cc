#include "tool/status.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tool/control_client.h"

namespace sockgate {
namespace {

using nlohmann::json;
using Row = std::vector<std::string>;

int Fail(const std::string& why) {
  std::fprintf(stderr, "sockgate status: %s\n", why.c_str());
  return EXIT_FAILURE;
}

// The first row has the titles. Columns as wide as they need to be, two spaces between them.
std::string Table(const std::vector<Row>& rows) {
  Row::size_type columns = rows.front().size();
  std::vector<size_t> widths(columns, 0);
  for (const Row& row : rows) {
    for (size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < columns; ++i) {
      absl::StrAppend(&line, row[i], std::string(widths[i] - row[i].size() + 2, ' '));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

std::string PolicyText(const json& policy) {
  const std::string file = policy.at("file");
  std::string text = absl::StrCat("policy ", policy.at("generation").get<uint64_t>(), " of ", file,
                                  ", loaded at ", policy.at("loaded_at").get<std::string>(), "\n");
  const json& error = policy.at("last_error");
  if (error.is_null()) return text;
  absl::StrAppend(&text, "the last reload, at ", error.at("at").get<std::string>(), ", failed:\n");
  for (const std::string& line : FindingLines(file, error.at("findings"))) {
    absl::StrAppend(&text, "  ", line, "\n");
  }
  return text;
}

std::string RolesText(const json& roles) {
  std::vector<Row> rows = {{"ROLE", "MODE", "RULES", "WORKERS", "CHANNELS"}};
  for (const json& role : roles) {
    const auto number = [&](const char* key) { return absl::StrCat(role.at(key).get<uint64_t>()); };
    rows.push_back({role.at("name"),
                    role.value("removed", false) ? "removed" : role.at("mode").get<std::string>(),
                    number("rules"), number("workers"), number("channels")});
  }
  return Table(rows);
}

std::string ListenText(const json& listen) {
  std::vector<Row> rows = {{"LISTENING ON", "ROLE", "MODE"}};
  for (const json& at : listen) rows.push_back({at.at("path"), at.at("role"), at.at("mode")});
  return Table(rows);
}

std::string ResolverText(const json& resolver) {
  const std::string state = resolver.at("state");
  if (state == "gone") return "resolver: gone; no name is resolved until the broker starts anew\n";
  return absl::StrCat("resolver: ", state, ", ", resolver.at("questions").get<uint64_t>(),
                      " questions under way\n");
}

// Of a broker that is older than its cage nothing is known.
std::string CageText(const json& reply) {
  const auto cage = reply.find("cage");
  if (cage == reply.end()) return "";
  return absl::StrCat("cage ", cage->at("level").get<std::string>(), ": ",
                      cage->at("in_force").get<std::string>(), "\n");
}

int Say(const json& reply, bool as_json) {
  if (as_json) {
    std::printf("%s\n", reply.dump().c_str());
    return EXIT_SUCCESS;
  }
  const std::string text =
      absl::StrCat(PolicyText(reply.at("policy")), CageText(reply),
                   reply.contains("resolver") ? ResolverText(reply.at("resolver")) : "", "\n",
                   RolesText(reply.at("roles")), "\n", ListenText(reply.at("listen")));
  std::fputs(text.c_str(), stdout);
  if (reply.value("cut", false)) std::puts("\n(there is more than fits)");
  return EXIT_SUCCESS;
}

}  // namespace

int Status(const StatusOptions& options) {
  const auto reply = AskBroker(options.control, "status");
  if (!reply.ok()) return Fail(std::string{reply.status().message()});
  try {
    return Say(*reply, options.json);
  } catch (const json::exception&) {
    return Fail("the broker's answer makes no sense: is it of another version?");
  }
}

}  // namespace sockgate
