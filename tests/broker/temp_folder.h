// TempFolder: a folder of the test's own with a path short enough for a socket's name.

#ifndef SOCKGATE_TESTS_BROKER_TEMP_FOLDER_H_
#define SOCKGATE_TESTS_BROKER_TEMP_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <string>

#include "proto/check.h"

namespace sockgate::testing {

class TempFolder {
 public:
  TempFolder() { SOCKGATE_CHECK(mkdtemp(path_.data()) != nullptr); }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/sockgate-XXXXXX";
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_TEMP_FOLDER_H_
