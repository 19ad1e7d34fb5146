#include "tool/fetch_worker.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/name_shim.h"
#include "client/url_host.h"
#include "tool/fetch_failure.h"
#include "tool/progress.h"

namespace sockgate {
namespace {

size_t WriteBody(char* data, size_t size, size_t count, void* job) {
  const UniqueFd& output = static_cast<const FetchJob*>(job)->output;
  const int fd = output.valid() ? output.get() : STDOUT_FILENO;
  const size_t total = size * count;
  size_t written = 0;
  while (written < total) {
    const ssize_t part = write(fd, data + written, total - written);
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) return written;  // libcurl ends the transfer with CURLE_WRITE_ERROR
    written += static_cast<size_t>(part);
  }
  return total;
}

int Say(int status, absl::string_view what) {
  std::fprintf(stderr, "sockgate fetch: %.*s\n", static_cast<int>(what.size()), what.data());
  return status;
}

int SayOf(const FetchJob& job, int status, absl::string_view what) {
  return Say(status, absl::StrCat(job.url, ": (", status, ") ", what));
}

long Milliseconds(double seconds) { return std::lround(seconds * 1000); }

// What is left of a limit that has run since `begun`, as libcurl takes it: 0 is none.
long LeftOf(double limit_s, std::chrono::steady_clock::time_point begun) {
  if (limit_s <= 0) return 0;
  const std::chrono::duration<double> past = std::chrono::steady_clock::now() - begun;
  return std::max(Milliseconds(limit_s - past.count()), 1L);
}

// In connected mode libcurl cannot interrupt the broker, so its own time limits are the broker's.
// In in-progress mode they are to run out first, or the transfer would end with another status.
long ConnectDeadlineMs(const FetchOptions& options) {
  const long limit = Milliseconds(options.ConnectLimit());
  return options.mode == ConnectMode::kConnected ? limit : limit + 1000;
}

}  // namespace

FetchWorker::FetchWorker(const FetchOptions& options, const AllowList& allow, FetchPlan plan)
    : options_(options),
      allow_(allow),
      plan_(std::move(plan)),
      out_is_terminal_(isatty(STDOUT_FILENO) != 0),
      err_is_terminal_(isatty(STDERR_FILENO) != 0) {}

std::vector<int> FetchWorker::OutputDescriptors() const {
  std::vector<int> descriptors;
  for (const FetchJob& job : plan_.jobs) {
    if (job.output.valid()) descriptors.push_back(job.output.get());
  }
  return descriptors;
}

int FetchWorker::Prepare(UniqueFd channel) {
  auto client = BrokerClient::FromDescriptor(std::move(channel));
  if (!client.ok()) return Say(kExitBroker, client.status().ToString());
  client_ = *std::move(client);
  if (absl::Status status = ArmNameShim(client_.get()); !status.ok()) {
    return Say(kExitBroker, status.ToString());
  }
  signal(SIGPIPE, SIG_IGN);  // a reader that has seen enough is a write error
  tzset();
  setlocale(LC_CTYPE, "");  // by which libcurl reads an international name
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return CURLE_FAILED_INIT;
  return 0;
}

int FetchWorker::Run() {
  CurlAdapterOptions adapter_options;
  adapter_options.mode = options_.mode;
  adapter_options.connect_deadline = std::chrono::milliseconds(ConnectDeadlineMs(options_));
  adapter_options.on_connect = [this](CURL* easy, const Endpoint& endpoint,
                                      const ConnectResult& result) {
    OnConnect(easy, endpoint, result);
  };
  CurlAdapter adapter(client_.get(), std::move(adapter_options));
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                 curl_easy_cleanup);
  int status = 0;
  for (size_t i = 0; i < plan_.jobs.size(); ++i) {
    PrepareNext(adapter, i);
    const int ended = RunOne(easy.get(), adapter, plan_.jobs[i]);
    if (ended != 0) status = ended;
  }
  return status;
}

// Unless libcurl will have a connection to there from the present one.
void FetchWorker::PrepareNext(CurlAdapter& adapter, size_t present) const {
  if (present + 1 == plan_.jobs.size()) return;
  const std::string next = FirstHop(plan_.jobs[present + 1].url);
  const auto there = HostOfUrl(next);
  const auto here = HostOfUrl(FirstHop(plan_.jobs[present].url));
  if (!there.has_value() || !here.has_value()) return;
  if (there->name != here->name || there->port != here->port) adapter.Prepare(nullptr, next);
}

int FetchWorker::RunOne(CURL* easy, CurlAdapter& adapter, const FetchJob& job) {
  const Clock::time_point begun = Clock::now();
  curl_easy_reset(easy);
  if (absl::Status status = adapter.Attach(easy); !status.ok()) {
    return Say(kExitBroker, status.ToString());
  }
  const AheadResult ahead = adapter.ResolveAhead(easy, FirstHop(job.url));
  if (!ahead.error.ok()) return ReportLookup(job, ahead.error, begun);
  SetOptions(easy, job, begun);
  if (absl::Status status = SetTrust(easy); !status.ok()) {
    return Say(kExitBroker, status.ToString());
  }
  CURLcode code;
  {
    // A body that goes to the terminal must not be drawn over.
    const bool body_shows = !job.output.valid() && out_is_terminal_;
    Progress progress(job.url, !options_.silent && !body_shows && err_is_terminal_);
    progress.Attach(easy);
    code = curl_easy_perform(easy);
  }
  return code == CURLE_OK ? 0 : Report(easy, adapter, job, code);
}

std::string FetchWorker::FirstHop(const std::string& url) const {
  return plan_.proxy_url.empty() ? url : plan_.proxy_url;
}

void FetchWorker::SetOptions(CURL* easy, const FetchJob& job, Clock::time_point begun) const {
  curl_easy_setopt(easy, CURLOPT_URL, job.url.c_str());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &WriteBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &job);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Empty strings, or libcurl would go by the launcher's environment.
  curl_easy_setopt(easy, CURLOPT_PROXY, plan_.proxy_url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,ftp,ftps");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, options_.follow ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, options_.max_redirects);
  curl_easy_setopt(easy, CURLOPT_FAILONERROR, options_.fail ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, LeftOf(options_.connect_timeout_s, begun));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, LeftOf(options_.max_time_s, begun));
}

// --insecure is about the server; the proxy sees what is sent to a server without TLS.
absl::Status FetchWorker::SetTrust(CURL* easy) const {
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options_.insecure ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options_.insecure ? 0L : 2L);
  return plan_.trust != nullptr ? plan_.trust->Attach(easy) : absl::OkStatus();
}

int FetchWorker::ReportLookup(const FetchJob& job, const ConnectError& error,
                              Clock::time_point begun) const {
  const std::string url = FirstHop(job.url);
  const auto host = HostOfUrl(url);
  const std::chrono::duration<double> past = Clock::now() - begun;
  CURLcode code =
      plan_.proxy_url.empty() ? CURLE_COULDNT_RESOLVE_HOST : CURLE_COULDNT_RESOLVE_PROXY;
  if (error.kind == ConnectError::Kind::kLookup && past.count() >= options_.ConnectLimit()) {
    code = CURLE_OPERATION_TIMEDOUT;
  }
  return SayOf(job, ExitStatus(code, error),
               absl::StrCat(host.has_value() ? host->name : url, ": ", error.ToString(),
                            Advice(error, url, nullptr)));
}

int FetchWorker::Report(CURL* easy, const CurlAdapter& adapter, const FetchJob& job,
                        CURLcode code) const {
  const ConnectError error = adapter.LastError(easy, code);
  const int status = ExitStatus(code, error);
  std::string text = adapter.Explain(easy, code);
  if (status == kExitDenied) {
    const char* url = nullptr;
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    const Endpoint* attempt = code == CURLE_COULDNT_CONNECT ? &last_endpoint_ : nullptr;
    absl::StrAppend(&text, Advice(error, FirstHop(url == nullptr ? job.url : url), attempt));
  } else if (code == CURLE_COULDNT_CONNECT && error.ok()) {
    long os_errno = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    if (os_errno != 0) absl::StrAppend(&text, ": ", strerror(static_cast<int>(os_errno)));
  } else if (code == CURLE_HTTP_RETURNED_ERROR) {
    long http_status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &http_status);
    absl::StrAppend(&text, " (", http_status, ")");
  }
  return SayOf(job, status, text);
}

void FetchWorker::OnConnect(CURL* easy, const Endpoint& endpoint, const ConnectResult& result) {
  last_endpoint_ = endpoint;
  if (!options_.verbose) return;
  const char* url = nullptr;
  curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
  Trace(HostOfUrl(FirstHop(url == nullptr ? "" : url)), endpoint, result);
}

void FetchWorker::Trace(const std::optional<UrlHost>& host, const Endpoint& endpoint,
                        const ConnectResult& result) const {
  std::string text = "* ";
  if (host.has_value() && !host->is_literal) absl::StrAppend(&text, host->name, " at ");
  absl::StrAppend(&text, endpoint.ToString(), ": ");
  if (!result.error.ok()) {
    absl::StrAppend(&text, result.error.ToString());
  } else {
    absl::StrAppend(&text, "allowed by rule ", result.rule, " (", allow_.Source(result.rule), "), ",
                    result.started ? "the broker began to connect" : "connected by the broker",
                    ", descriptor ", result.socket.get());
  }
  std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace sockgate
