#include "tool/fetch_worker.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tool/progress.h"

namespace sockgate {
namespace {

// Where libcurl was told, when it was built, to look for certificates.
constexpr char kDefaultCaFile[] = "/etc/ssl/certs/ca-certificates.crt";

bool ReadFile(const std::string& path, std::string* contents) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream buffer;
  buffer << file.rdbuf();
  *contents = buffer.str();
  return !contents->empty();
}

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

long Milliseconds(double seconds) { return std::lround(seconds * 1000); }

// In connected mode libcurl cannot interrupt the broker, so its own time limits are the broker's.
// In in-progress mode they are to run out first, or the transfer would end with another status.
long ConnectDeadlineMs(const FetchOptions& options) {
  const bool bounded = options.max_time_s > 0 && options.max_time_s < options.connect_timeout_s;
  const long limit = Milliseconds(bounded ? options.max_time_s : options.connect_timeout_s);
  return options.mode == ConnectMode::kConnected ? limit : limit + 1000;
}

}  // namespace

FetchWorker::FetchWorker(const FetchOptions& options, const AllowList& allow, FetchPlan plan)
    : options_(options),
      allow_(allow),
      plan_(std::move(plan)),
      resolve_(nullptr, curl_slist_free_all),
      out_is_terminal_(isatty(STDOUT_FILENO) != 0),
      err_is_terminal_(isatty(STDERR_FILENO) != 0) {
  for (const std::string& entry : plan_.resolve) {
    resolve_.reset(curl_slist_append(resolve_.release(), entry.c_str()));
  }
}

int FetchWorker::Prepare() {
  signal(SIGPIPE, SIG_IGN);  // a reader that has seen enough is a write error
  tzset();
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return CURLE_FAILED_INIT;
  const std::string path = options_.ca_file.empty() ? kDefaultCaFile : options_.ca_file;
  if (!ReadFile(path, &ca_bundle_) && !options_.ca_file.empty()) {
    std::fprintf(stderr, "sockgate fetch: cannot read certificates from %s\n", path.c_str());
    return CURLE_SSL_CACERT_BADFILE;
  }
  return 0;
}

int FetchWorker::Run(UniqueFd channel) {
  auto client = BrokerClient::FromDescriptor(std::move(channel));
  if (!client.ok()) {
    std::fprintf(stderr, "sockgate fetch: %s\n", client.status().ToString().c_str());
    return kExitBroker;
  }
  CurlAdapterOptions adapter_options;
  adapter_options.mode = options_.mode;
  adapter_options.connect_deadline = std::chrono::milliseconds(ConnectDeadlineMs(options_));
  if (options_.verbose) {
    adapter_options.on_connect = [this](CURL* /*easy*/, const Endpoint& endpoint,
                                        const ConnectResult& result) { Trace(endpoint, result); };
  }
  CurlAdapter adapter(client->get(), std::move(adapter_options));
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                 curl_easy_cleanup);
  int status = 0;
  for (const FetchJob& job : plan_.jobs) {
    const int ended = RunOne(easy.get(), adapter, job);
    if (ended != 0) status = ended;
  }
  return status;
}

int FetchWorker::RunOne(CURL* easy, CurlAdapter& adapter, const FetchJob& job) {
  curl_easy_reset(easy);
  if (absl::Status status = adapter.Attach(easy); !status.ok()) {
    std::fprintf(stderr, "sockgate fetch: %s\n", status.ToString().c_str());
    return kExitBroker;
  }
  SetOptions(easy, job);
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

void FetchWorker::SetOptions(CURL* easy, const FetchJob& job) const {
  curl_easy_setopt(easy, CURLOPT_URL, job.url.c_str());
  curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve_.get());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &WriteBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &job);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // A proxy of the launcher's environment would be one more host, which nobody has looked up.
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,ftp,ftps");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, options_.follow ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, options_.max_redirects);
  curl_easy_setopt(easy, CURLOPT_FAILONERROR, options_.fail ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(options_.connect_timeout_s));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Milliseconds(options_.max_time_s));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options_.insecure ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options_.insecure ? 0L : 2L);
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // a folder would be opened during the handshake
  curl_blob blob = {const_cast<char*>(ca_bundle_.data()), ca_bundle_.size(), CURL_BLOB_NOCOPY};
  if (!ca_bundle_.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
}

int FetchWorker::Report(CURL* easy, const CurlAdapter& adapter, const FetchJob& job,
                        CURLcode code) const {
  const ConnectError error = adapter.LastError(easy);
  std::string text = adapter.Explain(easy, code);
  int status = code;
  if (code == CURLE_COULDNT_CONNECT && error.kind == ConnectError::Kind::kDenied) {
    status = kExitDenied;
    absl::StrAppend(&text, "; --allow HOST:PORTS or CIDR:PORTS lets it through");
  } else if (code == CURLE_COULDNT_CONNECT && error.kind == ConnectError::Kind::kLimited) {
    status = kExitLimited;
  } else if (code == CURLE_COULDNT_CONNECT && error.error_number == ETIMEDOUT) {
    status = CURLE_OPERATION_TIMEDOUT;
  } else if (code == CURLE_HTTP_RETURNED_ERROR) {
    long http_status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &http_status);
    absl::StrAppend(&text, " (", http_status, ")");
  }
  std::fprintf(stderr, "sockgate fetch: %s: (%d) %s\n", job.url.c_str(), status, text.c_str());
  return status;
}

void FetchWorker::Trace(const Endpoint& endpoint, const ConnectResult& result) const {
  std::string text = absl::StrCat("* ", endpoint.ToString(), ": ");
  if (!result.error.ok()) {
    absl::StrAppend(&text, result.error.ToString());
  } else {
    absl::StrAppend(&text, "allowed by rule ", result.rule, " (--allow ",
                    allow_.Source(result.rule), "), ",
                    result.started ? "the broker began to connect" : "connected by the broker",
                    ", descriptor ", result.socket.get());
  }
  std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace sockgate
