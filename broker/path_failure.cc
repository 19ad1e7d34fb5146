#include "broker/path_failure.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "confine/folders.h"

namespace sockgate {
namespace {

std::string OwnerText(const struct stat& status) {
  return absl::StrFormat("of %s, mode %04o", UserText(status.st_uid), status.st_mode & 07777);
}

// What is at the path may not be used, or nothing may be made there.
std::string WhyForbidden(const std::string& path) {
  const std::string me = UserText(geteuid());
  const std::string folder = confine::FolderOf(path);
  struct stat status;
  if (stat(path.c_str(), &status) == 0) {
    return absl::StrCat(me, " has no right to that (", OwnerText(status),
                        "): grant it, or name another path");
  }
  if (stat(folder.c_str(), &status) != 0) {
    return absl::StrCat(me, " may not enter a folder above ", folder,
                        ": let it, or name another folder");
  }
  return absl::StrCat(me, " may not make it in ", folder, " (", OwnerText(status),
                      "): let it, or name another folder");
}

// Empty: there is no more to say than what the system says.
std::string WhyNot(int error, const std::string& path) {
  const std::string folder = confine::FolderOf(path);
  struct stat status;
  switch (error) {
    case ENOENT:
      if (stat(folder.c_str(), &status) == 0) return "";
      return absl::StrCat("there is no folder ", folder, ": make it first");
    case ENOTDIR:
      return absl::StrCat(folder, " is no folder: name another path");
    case EISDIR:
      return "that is a folder: name a file in it";
    case EACCES:
    case EPERM:
      return WhyForbidden(path);
    case EROFS:
      return "its file system cannot be written to: name another path";
    default:
      return "";
  }
}

// Nobody answers on what is there.
std::string WhyRefused(const struct stat& status) {
  if (!S_ISSOCK(status.st_mode)) return "that is no socket: name the path of its --control";
  return "nobody listens there any more: start the broker";
}

std::string WhyNotAsked(int error, const std::string& path) {
  struct stat status;
  const bool seen = stat(path.c_str(), &status) == 0;
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "there is no such path: is it started, with this --control?";
    case ECONNREFUSED:
      return seen ? WhyRefused(status) : strerror(error);
    case EPROTOTYPE:
      return "the socket there is another program's: name the path of its --control";
    default:
      return strerror(error);
  }
}

}  // namespace

// To look a name up loads libraries, for which a broker in its cage would be killed.
std::string UserText(uid_t user) { return user == 0 ? "root" : absl::StrCat("user ", user); }

absl::Status NoSocketPath(absl::string_view path) {
  constexpr size_t kMost = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > kMost) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' is too long for a socket's path: ", path.size(),
                     " bytes, where ", kMost, " fit; name a shorter one"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", path, "' cannot be a socket's path: write one like /run/sockgate/NAME"));
}

absl::Status PathError(int error, absl::string_view doing, const std::string& path) {
  const std::string why = WhyNot(error, path);
  return {absl::ErrnoToStatusCode(error),
          absl::StrCat(doing, ": ", why.empty() ? strerror(error) : why)};
}

absl::Status NoControlAt(int error, const std::string& path) {
  struct stat status;
  const absl::StatusCode code = absl::ErrnoToStatusCode(error);
  if (error != EACCES && error != EPERM) {
    return {code, absl::StrCat("no broker at ", path, ": ", WhyNotAsked(error, path))};
  }
  const std::string me = UserText(geteuid());
  if (stat(path.c_str(), &status) == 0) {
    return {code, absl::StrCat(me, " may not ask the broker at ", path, " (", OwnerText(status),
                               "): only root and the broker's own user may")};
  }
  return {code, absl::StrCat(me, " may not enter a folder above ", path,
                             ": only root and the broker's own user may ask it")};
}

}  // namespace sockgate
