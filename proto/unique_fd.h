// UniqueFd: sole owner of one file descriptor.
//
// Process: any.
// Threads: as an int; one object is not to be used by two threads at once. Closing never blocks on
// the kinds of descriptor that sockgate handles, and its result is ignored on purpose: after
// close(2) the number is free even when EINTR is reported (Linux, close(2), "Notes").
// A thread that is cancelled ends elsewhere: the close(2) of libc is a cancellation point, and
// pthread_cancel(3) unwinds from there, which a destructor lets nobody do without ending the program.

#ifndef SOCKGATE_PROTO_UNIQUE_FD_H_
#define SOCKGATE_PROTO_UNIQUE_FD_H_

#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace sockgate {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(other.Release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { Reset(); }

  // The descriptor, or -1 when nothing is owned.
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

  // Gives the descriptor to the caller, who must close it.
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }

  // Closes what is owned and takes `fd` instead.
  void Reset(int fd = -1) {
    if (fd_ >= 0) Close(fd_);
    fd_ = fd;
  }

 private:
  static void Close(int fd) {
#ifdef __SANITIZE_THREAD__
    close(fd);  // which it has to see, or the number's next owner races with this one
#else
    syscall(SYS_close, fd);
#endif
  }

  int fd_ = -1;
};

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_UNIQUE_FD_H_
