// What tests of descriptor passing share: a hostile sender, a full table, and a count of what is
// open.

#ifndef SOCKGATE_TESTS_PROTO_DESCRIPTOR_HAZARDS_H_
#define SOCKGATE_TESTS_PROTO_DESCRIPTOR_HAZARDS_H_

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "proto/unique_fd.h"

namespace sockgate::testing {

inline size_t OpenDescriptors() {
  size_t count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

inline absl::Span<const uint8_t> Packet(absl::string_view bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

inline bool HasCloseOnExec(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

// What a hostile sender does: any bytes with any number of copies of one descriptor. 0 or an errno.
inline int SendMany(int socket, absl::string_view bytes, int descriptor, size_t copies) {
  std::vector<char> control(CMSG_SPACE(sizeof(int) * copies));
  iovec part = {const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * copies);
  const std::vector<int> numbers(copies, descriptor);
  std::memcpy(CMSG_DATA(header), numbers.data(), sizeof(int) * copies);
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

// While it lives, the process can open `room` descriptors more.
class DescriptorRoom {
 public:
  explicit DescriptorRoom(size_t room) {
    getrlimit(RLIMIT_NOFILE, &old_);
    std::vector<UniqueFd> fill(room + 1);
    for (UniqueFd& fd : fill) fd.Reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit tight = old_;
    tight.rlim_cur = static_cast<rlim_t>(fill.back().get());
    setrlimit(RLIMIT_NOFILE, &tight);
  }
  ~DescriptorRoom() { setrlimit(RLIMIT_NOFILE, &old_); }
  DescriptorRoom(const DescriptorRoom&) = delete;
  DescriptorRoom& operator=(const DescriptorRoom&) = delete;

 private:
  rlimit old_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_PROTO_DESCRIPTOR_HAZARDS_H_
