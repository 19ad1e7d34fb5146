// FetchFolder: a folder of a test's own, and what `sockgate fetch` leaves there.
//
// Process: the test.

#ifndef SOCKGATE_TESTS_TOOL_FETCH_FETCH_FOLDER_H_
#define SOCKGATE_TESTS_TOOL_FETCH_FETCH_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace sockgate::testing {

class FetchFolder {
 public:
  FetchFolder() {
    std::string folder = std::string(std::getenv("TEST_TMPDIR")) + "/fetch.XXXXXX";
    path_ = mkdtemp(folder.data());
  }

  const std::string& path() const { return path_; }
  std::string In(const std::string& name) const { return path_ + "/" + name; }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(In(name)) << text;
    return In(name);
  }
  std::string Read(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(In(name), std::ios::binary).rdbuf();
    return text.str();
  }
  // Hidden ones too.
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.insert(entry.path().filename());
    }
    return names;
  }

 private:
  std::string path_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_TOOL_FETCH_FETCH_FOLDER_H_
