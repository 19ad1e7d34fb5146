#include "tests/bench/load/load_crowd.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>

#include "tests/bench/load/load_work.h"

namespace sockgate::bench {

void LoadCrowd::Unmap::operator()(std::atomic<uint64_t>* counter) const {
  munmap(counter, sizeof(*counter));
}

absl::StatusOr<LoadCrowd::Counter> LoadCrowd::MapCounter() {
  void* page = mmap(nullptr, sizeof(std::atomic<uint64_t>), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return absl::ErrnoToStatus(errno, "mmap");
  return Counter(new (page) std::atomic<uint64_t>(0));
}

absl::StatusOr<LoadCrowd> LoadCrowd::Start(const CrowdPlan& plan) {
  auto counter = MapCounter();
  if (!counter.ok()) return counter.status();
  std::vector<ChildProcess> workers;
  for (size_t i = 0; i < plan.workers; ++i) {
    auto worker =
        ChildProcess::Start([&](int control) { DoLoadWork(plan, control, counter->get()); });
    if (!worker.ok()) return worker.status();
    workers.push_back(*std::move(worker));
  }
  for (const ChildProcess& worker : workers) {
    char ready;
    if (recv(worker.control(), &ready, 1, 0) != 1) {
      return absl::UnavailableError("a worker did not get what it asked for");
    }
  }
  return LoadCrowd(*std::move(counter), std::move(workers));
}

void LoadCrowd::SignalAll(int signal) const {
  for (const ChildProcess& worker : workers_) kill(worker.pid(), signal);
}

}  // namespace sockgate::bench
