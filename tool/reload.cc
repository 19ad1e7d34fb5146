#include "tool/reload.h"

#include <cstdio>
#include <cstdlib>

#include "tool/control_client.h"
#include "tool/printable_text.h"

namespace sockgate {
namespace {

int Fail(const std::string& why) {
  const std::string text = PrintableText(why);
  std::fprintf(stderr, "sockgate reload: %s\n", text.c_str());
  return EXIT_FAILURE;
}

int Say(const nlohmann::json& reply) {
  const auto number = reply.at("generation").get<unsigned long long>();
  for (const std::string& line : FindingLines(reply.at("file"), reply.at("findings"))) {
    std::fprintf(stderr, "%s\n", PrintableText(line).c_str());
  }
  if (!reply.at("loaded").get<bool>()) {
    std::fprintf(stderr, "sockgate reload: rejected; policy %llu stays in force\n", number);
    return EXIT_FAILURE;
  }
  std::printf("policy %llu in force\n", number);
  return EXIT_SUCCESS;
}

}  // namespace

int Reload(const ReloadOptions& options) {
  const auto reply = AskBroker(options.control, "reload");
  if (!reply.ok()) return Fail(std::string{reply.status().message()});
  try {
    return Say(*reply);
  } catch (const nlohmann::json::exception&) {
    return Fail("the broker's answer makes no sense: is it of another version?");
  }
}

}  // namespace sockgate
