#include "tool/fetch.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "broker/broker_process.h"
#include "client/launch/worker.h"
#include "tool/allow_list.h"
#include "tool/audit_file.h"
#include "tool/fetch_worker.h"
#include "tool/host_lookup.h"

namespace sockgate {
namespace {

int Fail(int status, absl::string_view what) {
  std::fprintf(stderr, "sockgate fetch: %.*s\n", static_cast<int>(what.size()), what.data());
  return status;
}

// libcurl's own parser, so that what is looked up here is what libcurl will ask for.
absl::StatusOr<std::string> UrlPart(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) {
    return absl::InvalidArgumentError("not a URL that libcurl understands");
  }
  std::string copy = text;
  curl_free(text);
  return copy;
}

// The CURLOPT_RESOLVE entry for the URL's host; empty when the host is an address already.
absl::StatusOr<std::string> ResolveEntry(const std::string& text) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), curl_url_cleanup);
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_GUESS_SCHEME) != CURLUE_OK) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is not a URL"));
  }
  const auto host = UrlPart(url.get(), CURLUPART_HOST);
  const auto port = UrlPart(url.get(), CURLUPART_PORT);
  if (!host.ok() || !port.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' has no host or port"));
  }
  if (host->front() == '[' || IpAddress::Parse(*host).has_value()) return std::string();
  const auto addresses = LookUpHost(*host);
  if (!addresses.ok()) return addresses.status();
  std::string entry = absl::StrCat(*host, ":", *port, ":");
  const char* separator = "";
  for (const IpAddress& address : *addresses) {
    const std::string literal = address.ToString();
    absl::StrAppend(&entry, separator, address.is_v4() ? literal : absl::StrCat("[", literal, "]"));
    separator = ",";
  }
  return entry;
}

absl::StatusOr<UniqueFd> OpenOutput(const std::string& path) {
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file.valid()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  return file;
}

// Turns URLs into jobs: opens their outputs and looks their hosts up.
absl::Status Prepare(const FetchOptions& options, std::vector<FetchJob>* jobs) {
  for (size_t i = 0; i < options.urls.size(); ++i) {
    FetchJob job;
    job.url = options.urls[i];
    auto entry = ResolveEntry(job.url);
    if (!entry.ok()) return entry.status();
    job.resolve = *std::move(entry);
    if (i < options.outputs.size() && options.outputs[i] != "-") {
      auto file = OpenOutput(options.outputs[i]);
      if (!file.ok()) return file.status();
      job.output = *std::move(file);
    }
    jobs->push_back(std::move(job));
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
  AllowList allow;
  for (const std::string& text : options.allow) {
    if (absl::Status status = allow.Add(text); !status.ok()) {
      return Fail(kExitUsage, absl::StrCat("--allow: ", status.message()));
    }
  }
  std::vector<FetchJob> jobs;
  if (absl::Status status = Prepare(options, &jobs); !status.ok()) {
    return Fail(absl::IsNotFound(status) ? CURLE_COULDNT_RESOLVE_HOST : kExitUsage,
                status.message());
  }
  auto broker = StartBroker(options, allow);
  if (!broker.ok()) return Fail(kExitBroker, broker.status().message());
  auto channel = broker->AddWorker("fetch");
  if (!channel.ok()) return Fail(kExitBroker, channel.status().message());

  launch::WorkerOptions worker_options;
  for (const FetchJob& job : jobs) {
    if (job.output.valid()) worker_options.keep_descriptors.push_back(job.output.get());
  }
  FetchWorker fetcher(options, allow, std::move(jobs));
  auto worker = launch::Worker::Start(
      *std::move(channel), worker_options, [&](int /*channel*/) { return fetcher.Prepare(); },
      [&](int fd) { return fetcher.Run(UniqueFd(fd)); });
  if (!worker.ok()) return Fail(kExitBroker, worker.status().message());
  return AwaitWorker(*worker);
}

}  // namespace sockgate
