// Three peers that never answer as they should: one silent, one refusing, one with a full queue.
//
// Process: any, unprivileged; ports are the kernel's choice in the calling thread's network
// namespace. Ownership: each object owns its sockets and lets go of the port when destroyed.
// Threads: none of their own (the kernel does the handshakes); const methods may be called from any
// thread. A child made by fork() inherits the sockets, so the port lives on until the child has
// gone too. Errors: Listen/Reserve/Fill say what the kernel refused.

#ifndef SOCKGATE_TESTS_SUPPORT_LOOPBACK_TCP_H_
#define SOCKGATE_TESTS_SUPPORT_LOOPBACK_TCP_H_

#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "proto/unique_fd.h"

namespace sockgate::testing {

// Completes handshakes and never says a word. Up to 4096 connections (less if net.core.somaxconn is
// less) are held in its queue until the test accepts them.
class SilentListener {
 public:
  static absl::StatusOr<SilentListener> Listen(const std::string& address = "127.0.0.1");

  uint16_t port() const { return port_; }

  // The oldest waiting connection, as a blocking descriptor, or DeadlineExceeded when none came in
  // time.
  absl::StatusOr<UniqueFd> Accept(std::chrono::milliseconds timeout) const;

 private:
  SilentListener(UniqueFd fd, uint16_t port) : fd_(std::move(fd)), port_(port) {}

  UniqueFd fd_;
  uint16_t port_;
};

// Answers each connect() with ECONNREFUSED, and keeps the port from being taken by anyone else.
class RefusingPort {
 public:
  static absl::StatusOr<RefusingPort> Reserve(const std::string& address = "127.0.0.1");

  uint16_t port() const { return port_; }

 private:
  RefusingPort(UniqueFd fd, uint16_t port) : fd_(std::move(fd)), port_(port) {}

  UniqueFd fd_;
  uint16_t port_;
};

// A listener whose queue is full: the kernel drops every SYN, so connect() hangs as it would
// against a black hole, without a network namespace. Unavailable where
// net.ipv4.tcp_abort_on_overflow or another setting makes the kernel answer all the same.
class FullListener {
 public:
  static absl::StatusOr<FullListener> Fill(const std::string& address = "127.0.0.1");

  uint16_t port() const { return port_; }

 private:
  FullListener(UniqueFd fd, uint16_t port, std::vector<UniqueFd> fillers)
      : fd_(std::move(fd)), port_(port), fillers_(std::move(fillers)) {}

  UniqueFd fd_;
  uint16_t port_;
  std::vector<UniqueFd> fillers_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_LOOPBACK_TCP_H_
