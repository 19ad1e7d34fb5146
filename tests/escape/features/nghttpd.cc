#include "tests/escape/features/nghttpd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/check.h"
#include "tests/support/tcp_socket.h"
#include "tests/support/tls_identity.h"

namespace sockgate::escape {
namespace {

constexpr char kProgram[] = "/usr/sbin/nghttpd";

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  SOCKGATE_CHECK(file.good());
}

[[noreturn]] void Execute(std::vector<std::string> words) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(kProgram, arguments.data());
  _exit(127);
}

}  // namespace

Nghttpd::Nghttpd() {
  const auto identity = testing::TlsIdentity::Generate({});
  SOCKGATE_CHECK(identity.ok());
  certificate_pem_ = identity->certificate_pem();
  WriteFile(folder_ / "key", identity->private_key_pem());
  WriteFile(folder_ / "certificate", certificate_pem_);
  WriteFile(folder_ / "page", kPageBody);
  pid_ = fork();
  SOCKGATE_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    Execute({kProgram, "--address=127.0.0.1", "--echo-upload",
             absl::StrCat("--htdocs=", folder_ / ""), absl::StrCat(kPort), folder_ / "key",
             folder_ / "certificate"});
  }
  SOCKGATE_CHECK(testing::AwaitListener("127.0.0.1", kPort));
}

Nghttpd::~Nghttpd() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace sockgate::escape
