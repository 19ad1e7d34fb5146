#include "tool/fetch.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "broker/broker_process.h"
#include "client/launch/worker.h"
#include "tool/allow_list.h"
#include "tool/audit_file.h"
#include "tool/fetch_worker.h"
#include "tool/host_table.h"
#include "tool/target.h"

namespace sockgate {
namespace {

int Fail(int status, absl::string_view what) {
  std::fprintf(stderr, "sockgate fetch: %.*s\n", static_cast<int>(what.size()), what.data());
  return status;
}

// Looks the URL's host up, unless it is an address, and notes its port.
absl::Status Note(const std::string& text, HostTable* hosts, std::set<uint16_t>* ports) {
  const auto parts = UrlParts::Parse(text);
  if (!parts.ok()) return parts.status();
  ports->insert(parts->port);
  if (parts->host.front() == '[' || IpAddress::Parse(parts->host).has_value()) {
    return absl::OkStatus();
  }
  return hosts->LookUp(parts->host).status();
}

absl::StatusOr<UniqueFd> OpenOutput(const std::string& path) {
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file.valid()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  return file;
}

absl::StatusOr<FetchJob> OpenJob(const FetchOptions& options, size_t index) {
  FetchJob job;
  job.url = options.urls[index];
  if (index < options.outputs.size() && options.outputs[index] != "-") {
    auto file = OpenOutput(options.outputs[index]);
    if (!file.ok()) return file.status();
    job.output = *std::move(file);
  }
  return job;
}

// Everything is looked up before the first file is touched.
absl::Status Prepare(const FetchOptions& options, AllowList* allow, HostTable* hosts,
                     FetchPlan* plan) {
  for (const std::string& text : options.allow) {
    if (absl::Status status = allow->Add(text); !status.ok()) return status;
  }
  std::set<uint16_t> ports = {80, 443};  // where a redirect is likely to lead
  for (const std::string& url : options.urls) {
    if (absl::Status status = Note(url, hosts, &ports); !status.ok()) return status;
  }
  plan->resolve = hosts->ResolveEntries(ports);
  for (size_t i = 0; i < options.urls.size(); ++i) {
    auto job = OpenJob(options, i);
    if (!job.ok()) return job.status();
    plan->jobs.push_back(*std::move(job));
  }
  return absl::OkStatus();
}

absl::StatusOr<BrokerProcess> StartBroker(const FetchOptions& options, const AllowList& allow) {
  auto audit = OpenAuditFile(options.audit_file);
  if (!audit.ok()) return audit.status();
  Role role;
  role.name = "fetch";
  role.policy = Policy(allow.rules());
  BrokerOptions broker;
  broker.roles.push_back(std::move(role));
  broker.audit = *std::move(audit);
  return BrokerProcess::Start(std::move(broker));
}

int AwaitWorker(launch::Worker& worker) {
  const auto status = worker.Wait();
  if (!status.ok()) return Fail(kExitBroker, status.status().message());
  if (!status->signaled) return status->code_or_signal;
  return Fail(kExitBroker, absl::StrCat("the worker was ended by signal ", status->code_or_signal,
                                        " (", strsignal(status->code_or_signal), ")"));
}

}  // namespace

int Fetch(const FetchOptions& options) {
  if (options.audit_file == "-") {
    return Fail(kExitUsage, "--audit: name a file; the worker could forge lines on standard error");
  }
  HostTable hosts;
  AllowList allow(&hosts);
  FetchPlan plan;
  if (absl::Status status = Prepare(options, &allow, &hosts, &plan); !status.ok()) {
    return Fail(absl::IsNotFound(status) ? CURLE_COULDNT_RESOLVE_HOST : kExitUsage,
                status.message());
  }
  auto broker = StartBroker(options, allow);
  if (!broker.ok()) return Fail(kExitBroker, broker.status().message());
  auto channel = broker->AddWorker("fetch");
  if (!channel.ok()) return Fail(kExitBroker, channel.status().message());

  launch::WorkerOptions worker_options;
  for (const FetchJob& job : plan.jobs) {
    if (job.output.valid()) worker_options.keep_descriptors.push_back(job.output.get());
  }
  FetchWorker fetcher(options, allow, std::move(plan));
  auto worker = launch::Worker::Start(
      *std::move(channel), worker_options, [&](int /*channel*/) { return fetcher.Prepare(); },
      [&](int fd) { return fetcher.Run(UniqueFd(fd)); });
  if (!worker.ok()) return Fail(kExitBroker, worker.status().message());
  return AwaitWorker(*worker);
}

}  // namespace sockgate
