// FtpServer: one file by FTP (RFC 959, RFC 2428), passive only, for one client at a time.
//
// Process: tests. Owns one thread, in which everything happens; the destructor ends it, also in the
// middle of a transfer. Threads: const members from any.

#ifndef SOCKGATE_TESTS_SUPPORT_FTP_SERVER_H_
#define SOCKGATE_TESTS_SUPPORT_FTP_SERVER_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proto/unique_fd.h"

namespace sockgate::testing {

class FtpServer {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    std::string body = "hello by ftp\n";  // of every path
    bool epsv = true;                     // false: EPSV is an unknown command
    std::string pasv_host = "127,0,0,1";  // what PASV says, as on the wire
  };

  explicit FtpServer(Options options);
  ~FtpServer();
  FtpServer(const FtpServer&) = delete;
  FtpServer& operator=(const FtpServer&) = delete;

  uint16_t port() const { return port_; }

  // The verbs that clients have sent: "USER", "PASS", ...
  std::vector<std::string> commands() const;

 private:
  void Run();
  void Serve(int control);
  // False at the session's end.
  bool Obey(int control, const std::string& line);
  void Listen(int control, bool extended);
  void Send(int control);
  // Whether `fd` became readable before the server's end.
  bool Await(int fd) const;

  const Options options_;
  const UniqueFd stop_;
  UniqueFd listener_;
  UniqueFd data_listener_;
  uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> commands_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_FTP_SERVER_H_
