#include "tool/fetch.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "broker/broker_process.h"
#include "broker/resolver/resolver_options.h"
#include "client/launch/trust_store.h"
#include "client/launch/worker.h"
#include "proto/fresh_child.h"
#include "tool/allow_list.h"
#include "tool/audit_file.h"
#include "tool/fetch_worker.h"
#include "tool/proxy_url.h"
#include "tool/target.h"

namespace sockgate {
namespace {

int Fail(int status, absl::string_view what) {
  std::fprintf(stderr, "sockgate fetch: %.*s\n", static_cast<int>(what.size()), what.data());
  return status;
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

absl::StatusOr<AllowList> ReadAllowed(const FetchOptions& options) {
  AllowList list;
  for (const std::string& text : options.allow) {
    if (absl::Status status = list.Add(text); !status.ok()) return status;
  }
  for (const std::string& text : options.allow_private) {
    if (absl::Status status = list.AddPrivate(text); !status.ok()) return status;
  }
  return list;
}

// The resolver's limits are to run out with the transfer's, where those are short.
void BoundLookups(const FetchOptions& options, ResolverOptions* resolver) {
  // resolv.conf(5): 5 seconds, 2 attempts, 3 servers.
  constexpr double kUsualMs = 5000;
  constexpr uint32_t kTries = 2;
  const size_t servers = resolver->servers.empty() ? 3 : resolver->servers.size();
  const double share =
      std::ceil(options.ConnectLimit() * 1000 / static_cast<double>(kTries * servers));
  if (share >= kUsualMs) return;
  resolver->tries = kTries;
  resolver->timeout_ms = static_cast<uint32_t>(share);
}

absl::StatusOr<ResolverOptions> ReadResolver(const FetchOptions& options) {
  ResolverOptions resolver;
  for (const std::string& text : options.dns_servers) {
    const auto server = ParseNameServer(text);
    if (!server.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--dns-servers '", text, "' is no name server: write its address, with a port if it is ",
          "not 53, such as 192.0.2.53 or [2001:db8::53]:5353"));
    }
    resolver.servers.push_back(*server);
  }
  if (resolver.servers.size() > kMaxResolverServers) {
    return absl::InvalidArgumentError(absl::StrCat("--dns-servers: at most ", kMaxResolverServers));
  }
  BoundLookups(options, &resolver);
  return resolver;
}

// No file is touched before the whole command line has been read.
absl::StatusOr<FetchPlan> Prepare(const FetchOptions& options) {
  FetchPlan plan;
  if (!options.proxy.empty()) {
    auto proxy = ReadProxyUrl(options.proxy);
    if (!proxy.ok()) return proxy.status();
    plan.proxy_url = *std::move(proxy);
  }
  for (const std::string& url : options.urls) {
    if (const auto parts = UrlParts::Parse(url); !parts.ok()) return parts.status();
  }
  for (size_t i = 0; i < options.urls.size(); ++i) {
    auto job = OpenJob(options, i);
    if (!job.ok()) return job.status();
    plan.jobs.push_back(*std::move(job));
  }
  return plan;
}

bool IsPlain(const std::string& url) {
  return absl::StartsWithIgnoreCase(url, "http://") || absl::StartsWithIgnoreCase(url, "ftp://");
}

// Parsing what the system trusts takes longer than many a fetch.
bool MayNeedTrust(const FetchOptions& options) {
  const bool plain_proxy = !absl::StartsWithIgnoreCase(options.proxy, "https://");
  return options.follow || !plain_proxy ||
         !std::all_of(options.urls.begin(), options.urls.end(), IsPlain);
}

// Here and not in the worker, which may be another user and not allowed to read the file.
int LoadTrust(const FetchOptions& options, FetchPlan* plan) {
  if (!MayNeedTrust(options)) return 0;
  auto trust = options.ca_file.empty() ? launch::TrustStore::LoadSystem()
                                       : launch::TrustStore::Load(options.ca_file);
  if (trust.ok()) {
    plan->trust = *std::move(trust);
  } else if (!options.ca_file.empty()) {
    return Fail(CURLE_SSL_CACERT_BADFILE, trust.status().message());
  } else {
    Fail(0, absl::StrCat("no server will be trusted: ", trust.status().message()));
  }
  return 0;
}

// Whom broker and worker run as where root fetches: a user without rights, if there is one.
std::optional<launch::Identity> FindNobody() {
  if (geteuid() != 0) return std::nullopt;
  auto nobody = launch::Identity::Find("nobody");
  if (!nobody.ok() || !nobody->CanBecome()) return std::nullopt;
  return *std::move(nobody);
}

absl::StatusOr<BrokerProcess> StartBroker(const FetchOptions& options, const AllowList& allow,
                                          const ResolverOptions& resolver,
                                          const std::optional<launch::Identity>& user) {
  auto audit = OpenAuditFile(options.audit_file);
  if (!audit.ok()) return audit.status();
  Role role;
  role.name = "fetch";
  role.policy = Policy(allow.rules());
  BrokerOptions broker;
  broker.roles.push_back(std::move(role));
  broker.audit = *std::move(audit);
  broker.resolver = resolver;
  return BrokerProcess::Start(std::move(broker), user);
}

int AwaitWorker(launch::Worker& worker) {
  const auto status = worker.Wait();
  if (!status.ok()) return Fail(kExitBroker, status.status().message());
  if (!status->signaled) return status->code_or_signal;
  return Fail(kExitBroker, absl::StrCat("the worker was ended by signal ", status->code_or_signal,
                                        " (", strsignal(status->code_or_signal), ")"));
}

// All that the host can give: the filter and the lack of capabilities are there in any case.
launch::WorkerOptions WorkerOptionsFor(const FetchWorker& fetcher,
                                       const std::optional<launch::Identity>& user) {
  using launch::Need;
  launch::WorkerOptions options;
  options.keep_descriptors = fetcher.OutputDescriptors();
  options.namespaces = {Need::kIfPossible, Need::kIfPossible, Need::kIfPossible, Need::kIfPossible};
  options.identity = user;
  return options;
}

int RunWorker(UniqueFd channel, FetchWorker& fetcher, const launch::WorkerOptions& options,
              bool verbose) {
  auto worker = launch::Worker::Start(
      std::move(channel), options, [&](int fd) { return fetcher.Prepare(UniqueFd(fd)); },
      [&](int /*channel*/) { return fetcher.Run(); });
  if (!worker.ok()) return Fail(kExitBroker, worker.status().message());
  if (verbose) {
    const bool as_root = geteuid() == 0 && !options.identity.has_value();
    std::fprintf(stderr, "* the worker has %s%s\n", worker->in_force().ToString().c_str(),
                 as_root ? ", but root's name" : "");
  }
  return AwaitWorker(*worker);
}

}  // namespace

int Fetch(const FetchOptions& options) {
  // Or an output file would become standard input.
  if (FillStandardStreams() != 0) return Fail(kExitBroker, "cannot open /dev/null");
  if (options.audit_file == "-") {
    return Fail(kExitUsage, "--audit: name a file; the worker could forge lines on standard error");
  }
  const auto allow = ReadAllowed(options);
  if (!allow.ok()) return Fail(kExitUsage, allow.status().message());
  const auto resolver = ReadResolver(options);
  if (!resolver.ok()) return Fail(kExitUsage, resolver.status().message());
  auto plan = Prepare(options);
  if (!plan.ok()) return Fail(kExitUsage, plan.status().message());
  if (const int status = LoadTrust(options, &*plan)) return status;
  const std::optional<launch::Identity> user = FindNobody();
  auto broker = StartBroker(options, *allow, *resolver, user);
  if (!broker.ok()) return Fail(kExitBroker, broker.status().message());
  auto channel = broker->AddWorker("fetch");
  if (!channel.ok()) return Fail(kExitBroker, channel.status().message());
  FetchWorker fetcher(options, *allow, *std::move(plan));
  return RunWorker(*std::move(channel), fetcher, WorkerOptionsFor(fetcher, user), options.verbose);
}

}  // namespace sockgate
