#include "tests/broker/fake_net.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "proto/check.h"

namespace sockgate::testing {
namespace {

struct DirCloser {
  void operator()(DIR* dir) const { closedir(dir); }
};

// Nothing more fits into the socket, so it is not writable.
void FillSendBuffer(int socket) {
  const std::array<char, 4096> block = {};
  while (send(socket, block.data(), block.size(), MSG_DONTWAIT) > 0) {
  }
}

void DrainReceiveBuffer(int socket) {
  std::array<char, 65536> block;
  while (recv(socket, block.data(), block.size(), MSG_DONTWAIT) > 0) {
  }
}

}  // namespace

OpenObject OpenObject::Of(int fd) {
  struct stat status = {};
  SOCKGATE_CHECK(fstat(fd, &status) == 0);
  return {status.st_dev, status.st_ino};
}

size_t OpenObject::Holders() const {
  const std::unique_ptr<DIR, DirCloser> dir(opendir("/proc/self/fd"));
  SOCKGATE_CHECK(dir != nullptr);
  size_t holders = 0;
  while (const dirent* entry = readdir(dir.get())) {
    // By name, for ThreadSanitizer takes fstat() for a use of another thread's descriptor.
    struct stat status;
    if (fstatat(dirfd(dir.get()), entry->d_name, &status, 0) != 0) continue;
    if (entry->d_name[0] != '.' && status.st_dev == device && status.st_ino == inode) ++holders;
  }
  return holders;
}

int FakeNet::Open(const Endpoint& endpoint, Transport transport, const SocketOptions& options,
                  UniqueFd* socket) {
  if (open_error_ != 0) return std::exchange(open_error_, 0);
  int ends[2];
  SOCKGATE_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  Line line;
  line.far_side.Reset(ends[0]);
  socket->Reset(ends[1]);
  FillSendBuffer(socket->get());
  if (std::exchange(next_unwatchable_, false)) socket->Reset(memfd_create("line", MFD_CLOEXEC));
  line.near_side = OpenObject::Of(socket->get());
  line.endpoint = endpoint;
  line.transport = transport;
  line.options = options;
  line.answers = std::exchange(next_answers_, {});
  if (line.answers.empty()) line.answers = usual_answers_;
  line.look = std::exchange(next_look_, Handshake::kGoingOn);
  lines_.push_back(std::move(line));
  return 0;
}

int FakeNet::Connect(int socket, const Endpoint& endpoint) {
  Line& line = LineOf(socket);
  SOCKGATE_CHECK(line.endpoint == endpoint);
  ++line.connects;
  const int answer = line.answers.front();
  if (line.answers.size() > 1) line.answers.pop_front();
  return answer;
}

Handshake FakeNet::Look(int socket) {
  Line& line = LineOf(socket);
  ++line.looks;
  return line.look;
}

void FakeNet::GiveUp(int socket) { ++LineOf(socket).give_ups; }

Measured FakeNet::Measure(int socket) {
  Line& line = LineOf(socket);
  ++line.measures;
  return line.measured;
}

void FakeNet::Finish(size_t i, int answer) {
  lines_[i].answers = {answer};
  lines_[i].look = Handshake::kDone;
  MakeWritable(i);
}

void FakeNet::Break(size_t i, int answer) {
  lines_[i].answers = {answer};
  lines_[i].look = Handshake::kFailed;
  shutdown(lines_[i].far_side.get(), SHUT_RDWR);
}

void FakeNet::FinishAndEnd(size_t i) {
  Break(i, ECONNABORTED);
  lines_[i].look = Handshake::kOver;
}

void FakeNet::MakeWritable(size_t i) { DrainReceiveBuffer(lines_[i].far_side.get()); }

// The newest line whose descriptor it is: numbers and inodes are used again.
FakeNet::Line& FakeNet::LineOf(int socket) {
  const OpenObject object = OpenObject::Of(socket);
  size_t i = lines_.size();
  while (i > 0 && (lines_[i - 1].near_side.device != object.device ||
                   lines_[i - 1].near_side.inode != object.inode)) {
    --i;
  }
  SOCKGATE_CHECK(i > 0);
  return lines_[i - 1];
}

}  // namespace sockgate::testing
