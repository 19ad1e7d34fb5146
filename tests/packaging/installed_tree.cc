#include "tests/packaging/installed_tree.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "proto/check.h"

namespace sockgate::testing {
namespace {

std::string Here() { return std::filesystem::current_path().string(); }

}  // namespace

InstalledTree::InstalledTree() {
  const Ran ran = Install(absl::StrCat("--prefix ", prefix_));
  if (ran.status != 0) std::fprintf(stderr, "%s\n", ran.said.c_str());
  SOCKGATE_CHECK(ran.status == 0);
}

Ran InstalledTree::Install(const std::string& options) {
  return Shell(absl::StrCat("umask 077; ./install --artefacts '", Here(), "' ", options));
}

Ran InstalledTree::Run(const std::string& command) const {
  return Shell(absl::StrCat(
      "export HOME=", home_, " PATH=", prefix_, "/bin:/usr/bin:/bin PKG_CONFIG_PATH=", prefix_,
      "/lib/pkgconfig LD_LIBRARY_PATH=", prefix_, "/lib; cd ", home_, " && ", command));
}

}  // namespace sockgate::testing
