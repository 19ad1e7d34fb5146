#include "tool/serve_inheritance.h"

#include <cstdio>
#include <string>
#include <utility>

#include "tool/audit_file.h"

namespace sockgate {

absl::StatusOr<Inheritance> TakeInheritance(const ServeOptions& options) {
  auto sockets = InheritedSockets::FromEnvironment();
  auto notify = ServiceNotify::FromEnvironment();
  if (!sockets.ok()) return sockets.status();
  Inheritance inherited;
  inherited.sockets = *std::move(sockets);
  if (notify.ok()) {
    inherited.notify = *std::move(notify);
  } else {
    std::fprintf(stderr, "sockgate serve: warning: the service manager hears nothing: %s\n",
                 std::string{notify.status().message()}.c_str());
  }
  if (options.audit_file == "-") inherited.audit = OwnStandardError();
  inherited.log = OwnStandardError();
  return inherited;
}

}  // namespace sockgate
