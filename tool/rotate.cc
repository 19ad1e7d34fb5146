#include "tool/rotate.h"

#include <cstdio>
#include <cstdlib>

#include "tool/control_client.h"

namespace sockgate {

int Rotate(const RotateOptions& options) {
  const auto reply = AskBroker(options.control, "rotate");
  if (reply.ok()) return EXIT_SUCCESS;
  std::fprintf(stderr, "sockgate rotate: %s\n", std::string{reply.status().message()}.c_str());
  return EXIT_FAILURE;
}

}  // namespace sockgate
