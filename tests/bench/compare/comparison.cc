#include "tests/bench/compare/comparison.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/bench/compare/compare_rates.h"
#include "tests/bench/compare/held_memory.h"
#include "tests/bench/compare/machine_load.h"
#include "tests/bench/compare/target_server.h"
#include "tests/broker/temp_folder.h"
#include "tests/support/test_namespace.h"

namespace sockgate::bench {
namespace {

constexpr char kMemory[] = "memory";
// Of the client, for each connection that it holds: the connection, and what libcurl wakes itself
// by.
constexpr size_t kDescriptorsEach = 3;
constexpr size_t kDescriptorsBeside = 200;

bool IsAskedFor(const std::string& key, const std::vector<std::string>& only) {
  return only.empty() || std::find(only.begin(), only.end(), key) != only.end();
}

void Say(const std::string& text) { std::fprintf(stderr, "compare: %s\n", text.c_str()); }

void EnterNetwork() {
  const absl::Status status = testing::EnterTestNetwork();
  if (!status.ok()) {
    Say(absl::StrCat("no network of its own, so what this host does is in the figures: ",
                     status.message()));
  } else if (!WidenLocalPorts()) {
    Say("no more local ports than usual");
  }
}

// Inherited by all that is started. Returns how many connections the client can hold.
size_t RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur <= kDescriptorsBeside) return 0;
  return static_cast<size_t>(limit.rlim_cur - kDescriptorsBeside) / kDescriptorsEach;
}

std::vector<size_t> ConnectionSteps(size_t wanted, size_t possible) {
  const size_t most = std::min(wanted, possible);
  if (most < wanted) Say(absl::StrCat("descriptors for ", most, " open connections only"));
  return {0, most / 5, most};
}

// Daemons that leave root read and write there as somebody else.
std::string OpenFolder(const testing::TempFolder& folder) {
  std::string open = folder / "open";
  std::filesystem::create_directory(open);
  chmod(std::filesystem::path(open).parent_path().c_str(), 0755);
  chmod(open.c_str(), 01777);
  return open;
}

}  // namespace

absl::StatusOr<CompareReport> Compare(const ComparisonOptions& options) {
  const bool root = geteuid() == 0;
  ContenderOptions contender_options;
  contender_options.sockgate = std::filesystem::absolute(options.sockgate);
  contender_options.root = root;
  contender_options.ways = options.ways;
  CompareReport report;
  report.connections = ConnectionSteps(options.connections, RaiseDescriptorLimit());
  EnterNetwork();
  const testing::TempFolder folder;
  contender_options.folder = OpenFolder(folder);

  report.big_bytes = options.bulk_mib << 20;
  const auto server =
      TargetServer::Start({contender_options.folder, root, report.big_bytes, !options.own_server});
  if (!server.ok()) return server.status();
  report.server = server->name();
  report.processors = std::thread::hardware_concurrency();
  const auto contenders = StartContenders(contender_options, *server);
  if (!contenders.ok()) return contenders.status();

  absl::Status status = MeasureRates({options.only, std::chrono::seconds(options.seconds)},
                                     *contenders, *server, &report);
  if (!status.ok()) return status;
  if (IsAskedFor(kMemory, options.only)) MeasureHeldMemory(*contenders, &report);
  return report;
}

std::vector<std::string> MeasureKeys() {
  std::vector<std::string> keys = {kMemory};
  for (const Measure& measure : kMeasures) keys.emplace_back(measure.key);
  return keys;
}

}  // namespace sockgate::bench
