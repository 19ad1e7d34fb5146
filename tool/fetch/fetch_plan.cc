#include "tool/fetch/fetch_plan.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tool/fetch/output_name.h"
#include "tool/fetch/request_body.h"
#include "tool/fetch/shown_url.h"
#include "tool/fetch/url_list.h"
#include "tool/proxy_url.h"

namespace sockgate {
namespace {

using Kind = BodyPlace::Kind;

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(std::llround(std::ceil(seconds * 1000)));
}

absl::Status CheckTogether(const FetchOptions& options) {
  if (options.urls.empty() && options.input_file.empty()) {
    return Bad("there is no URL: write one, or -i FILE");
  }
  const auto reads_input = [](const BodyPart& part) {
    return part.kind != BodyPart::Kind::kText && part.text == "@-";
  };
  if (options.input_file == "-" &&
      std::any_of(options.data.begin(), options.data.end(), reads_input)) {
    return Bad("-i and -d cannot both read standard input");
  }
  if (options.outputs.size() > options.urls.size() + (options.input_file.empty() ? 0 : 1)) {
    return Bad("there are more of -o and -O than URLs");
  }
  if (options.outputs.size() > options.urls.size() && !options.outputs.back().remote_name) {
    return Bad("-o is for one URL of the command line: for those of --input-file write -O");
  }
  struct stat folder;
  if (!options.output_dir.empty() &&
      (stat(options.output_dir.c_str(), &folder) != 0 || !S_ISDIR(folder.st_mode))) {
    return Bad(absl::StrCat("--output-dir ", options.output_dir, " is no folder: make it first"));
  }
  return absl::OkStatus();
}

// A URL that somebody has typed wrong is to be typed anew, before anything is fetched or written; a
// list may be a stranger's, and long.
absl::Status CheckTyped(const FetchJob& job) {
  if (job.fault.code != CURLE_URL_MALFORMAT) return absl::OkStatus();
  return Bad(absl::StrCat(ShownUrl(job.url), ": ", job.fault.text));
}

absl::StatusOr<std::vector<FetchJob>> AllJobs(const FetchOptions& options) {
  std::vector<FetchJob> jobs;
  for (const std::string& url : options.urls) {
    FetchJob job = {url, {}, 0, UrlFault::Of(url)};
    absl::Status status = CheckTyped(job);
    if (!status.ok()) return status;
    jobs.push_back(std::move(job));
  }
  if (options.input_file.empty()) return jobs;
  auto listed = ReadUrlList(options.input_file);
  if (!listed.ok()) return listed.status();
  for (ListedUrl& one : *listed) {
    UrlFault fault = UrlFault::Of(one.url);
    jobs.push_back({std::move(one.url), {}, one.line, std::move(fault)});
  }
  return jobs;
}

// -o and -O are for the URLs of the command line, one each; a list can have none of its own, so
// one -O that is left over is for all that is in it.
const OutputChoice* ChoiceFor(const FetchOptions& options, size_t index) {
  static const OutputChoice kRemoteName = {true, ""};
  if (index < options.urls.size()) {
    if (index < options.outputs.size()) return &options.outputs[index];
  } else if (options.outputs.size() > options.urls.size()) {
    return &options.outputs.back();
  }
  return options.remote_name_all ? &kRemoteName : nullptr;
}

std::string InFolder(const std::string& folder, const std::string& path) {
  return folder.empty() || path.front() == '/' ? path : absl::StrCat(folder, "/", path);
}

BodyPlace StandardOutput(const FetchOptions& options, bool as_it_is) {
  BodyPlace place;
  // Results are there.
  place.kind = options.json ? Kind::kNowhere : Kind::kStandardOutput;
  place.whole = uint64_t{options.jobs} * options.workers > 1 || options.retries != 0;
  place.spelled_out = !as_it_is && isatty(STDOUT_FILENO) == 1;
  return place;
}

// Where the URL gives no name, that is the job's fault.
absl::StatusOr<BodyPlace> PlaceFor(const FetchOptions& options, size_t index, FetchJob* job) {
  const OutputChoice* choice = ChoiceFor(options, index);
  if (choice == nullptr) return StandardOutput(options, false);
  if (!choice->remote_name && choice->path == "-") return StandardOutput(options, true);
  BodyPlace place;
  place.existing =
      options.no_clobber ? OutputFile::Existing::kNumber : OutputFile::Existing::kReplace;
  if (!choice->remote_name) {
    if (choice->path.empty()) return Bad("-o '' names no file");
    place.kind = Kind::kFile;
    place.path = InFolder(options.output_dir, choice->path);
    return place;
  }
  auto name = OutputName(job->url);
  if (!name.ok()) {
    job->fault = {CURLE_WRITE_ERROR, absl::StrCat(name.status().message())};
    place.kind = Kind::kNowhere;
    return place;
  }
  place.kind = Kind::kRemoteName;
  place.folder = options.output_dir;
  place.path = *std::move(name);
  return place;
}

absl::StatusOr<Transfer> RequestOf(const FetchOptions& options) {
  Transfer request;
  if (!options.method.empty() && !IsMethod(options.method)) {
    return Bad(absl::StrCat("-X '", options.method, "' is no method: write one word, as PUT"));
  }
  request.method = options.method.empty() && !options.data.empty() ? "POST" : options.method;
  auto headers = ReadRequestHeaders(options.headers);
  if (!headers.ok()) return headers.status();
  request.headers = *std::move(headers);
  auto body = ReadRequestBody(options.data);
  if (!body.ok()) return body.status();
  request.body = *std::move(body);
  if (!options.proxy.empty()) {
    auto proxy = ReadProxyUrl(options.proxy);
    if (!proxy.ok()) return proxy.status();
    request.proxy = *std::move(proxy);
  }
  request.protocols = kSchemes;
  request.follow = options.follow;
  request.max_redirects =
      options.max_redirects < 0 ? INT32_MAX : static_cast<uint32_t>(options.max_redirects);
  request.compressed = options.compressed;
  request.fail_on_http_error = options.fail;
  request.insecure = options.insecure;
  request.max_filesize = options.max_filesize;
  request.max_time = Milliseconds(options.max_time_s);
  request.connect_timeout = Milliseconds(options.connect_timeout_s);
  return request;
}

}  // namespace

absl::StatusOr<FetchPlan> FetchPlan::Make(const FetchOptions& options) {
  absl::Status status = CheckTogether(options);
  if (!status.ok()) return status;
  FetchPlan plan;
  auto request = RequestOf(options);
  if (!request.ok()) return request.status();
  plan.request = *std::move(request);
  auto jobs = AllJobs(options);
  if (!jobs.ok()) return jobs.status();
  plan.jobs = *std::move(jobs);
  plan.list = ListName(options.input_file);
  plan.json = options.json;
  status = plan.ChoosePlaces(options);
  if (!status.ok()) return status;
  plan.request.url = "http://localhost/";
  status = plan.request.Check();
  if (!status.ok()) return status;
  return plan;
}

absl::Status FetchPlan::ChoosePlaces(const FetchOptions& options) {
  std::set<std::string> names;
  for (size_t i = 0; i < jobs.size(); ++i) {
    FetchJob& job = jobs[i];
    // What is not fetched takes no name from anybody.
    job.place.kind = Kind::kNowhere;
    if (!job.fault.ok()) continue;
    auto place = PlaceFor(options, i, &job);
    if (!place.ok()) return place.status();
    job.place = *std::move(place);
    if (job.place.kind != Kind::kRemoteName || options.no_clobber ||
        names.insert(job.place.path).second) {
      continue;
    }
    job.fault = {CURLE_WRITE_ERROR, absl::StrCat("-O: an earlier URL ends in '", job.place.path,
                                                 "', too: write --no-clobber to number them")};
    job.place.kind = Kind::kNowhere;
    if (job.line == 0)
      return Bad(absl::StrCat(ShownUrl(job.url), ": ", job.fault.text, ", or -o FILE"));
  }
  return absl::OkStatus();
}

std::string FetchPlan::Where(const FetchJob& job) const {
  return job.line == 0 ? "" : absl::StrCat(list, ":", job.line);
}

bool FetchPlan::WritesToStandardOutput() const {
  return json || std::any_of(jobs.begin(), jobs.end(), [](const FetchJob& job) {
           return job.place.kind == Kind::kStandardOutput;
         });
}

bool FetchPlan::ShowsBodies() const {
  return isatty(STDOUT_FILENO) == 1 &&
         std::any_of(jobs.begin(), jobs.end(),
                     [](const FetchJob& job) { return job.place.kind == Kind::kStandardOutput; });
}

}  // namespace sockgate
