// TargetServer: what all ways fetch from: nginx, or the tests' own server where there is no nginx.
//
// It listens at every address of the network that it is started in, with and without TLS.
// Ownership: the object ends its processes; its files are in a folder that is lent. Process: the
// parent needs one thread.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_TARGET_SERVER_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_TARGET_SERVER_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/child_process.h"
#include "tests/bench/compare/helper_program.h"

namespace sockgate::bench {

// What there is to fetch.
enum class Page : uint32_t { kSmall, kSmallTls, kBig };

class TargetServer {
 public:
  struct Options {
    std::string folder;     // anybody may write there
    bool root = false;      // users other than the caller's can be had
    size_t big_bytes = 0;   // of Page::kBig
    bool may_nginx = true;  // false: the tests' own
  };
  static absl::StatusOr<TargetServer> Start(const Options& options);

  // "nginx, 2 workers"
  const std::string& name() const { return name_; }
  pid_t pid() const { return nginx_ != nullptr ? nginx_->pid() : own_->pid(); }
  uint16_t port() const { return port_; }
  uint16_t tls_port() const { return tls_port_; }

  // A file with all that the system trusts, and the server's certificate.
  const std::string& ca_file() const { return ca_file_; }

  // Many addresses keep the supply of local ports for each of them large. With `one_address`, for a
  // way that leads to one place only, they are all the same.
  std::vector<std::string> Urls(bool one_address) const;

  // Which of them has the page, in this round.
  static uint32_t UrlOf(Page page, size_t round);

 private:
  TargetServer() = default;

  absl::Status StartNginx(const Options& options);
  absl::Status StartOwn(const Options& options);
  std::string UrlAt(Page page, size_t place) const;

  std::string name_;
  std::string ca_file_;
  std::string big_path_;
  uint16_t port_ = 0;
  uint16_t tls_port_ = 0;
  std::unique_ptr<HelperProgram> nginx_;
  std::optional<ChildProcess> own_;
};

// A port that was free a moment ago; 0: there is none.
uint16_t FreePort();

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_TARGET_SERVER_H_
