#include "tests/bench/compare/process_tree.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/bench/child_process.h"
#include "tests/support/process_stats.h"

namespace sockgate::bench {
namespace {

// The fields of /proc/PID/stat after the name, which may have anything in it.
constexpr size_t kFirstField = 3;
constexpr size_t kChildrenUserField = 16;
constexpr size_t kChildrenSystemField = 17;

// Of children that have ended and were waited for, and of theirs.
double WaitedForMicroseconds(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text;
  std::getline(file, text);
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  double ticks = 0;
  for (size_t i = kFirstField; i <= kChildrenSystemField && fields >> field; ++i) {
    if (i >= kChildrenUserField) ticks += std::stod(field);
  }
  return ticks * 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

std::vector<pid_t> ProcessTree(pid_t root) {
  std::vector<pid_t> tree = {root};
  for (size_t i = 0; i < tree.size(); ++i) {
    for (const pid_t child : testing::ChildrenOf(tree[i])) tree.push_back(child);
  }
  return tree;
}

double TreeCpuMicroseconds(pid_t root) {
  double sum = 0;
  for (const pid_t pid : ProcessTree(root))
    sum += CpuMicroseconds(pid) + WaitedForMicroseconds(pid);
  return sum;
}

size_t TreeMemoryBytes(pid_t root) {
  size_t sum = 0;
  for (const pid_t pid : ProcessTree(root)) sum += ProcessMemoryBytes(pid);
  return sum;
}

size_t ProcessMemoryBytes(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/smaps_rollup"));
  for (std::string word; file >> word;) {
    size_t kib;
    if (word == "Pss:" && file >> kib) return kib * 1024;
  }
  return testing::ResidentBytes(pid).value_or(0);
}

}  // namespace sockgate::bench
