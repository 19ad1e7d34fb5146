// InstalledTree: sockgate as ./install leaves it, from what this test was built with, in a folder of
// the test's own that is an empty home besides.
//
// Process: the test; it runs ./install and compilers. Owns the folder.

#ifndef SOCKGATE_TESTS_PACKAGING_INSTALLED_TREE_H_
#define SOCKGATE_TESTS_PACKAGING_INSTALLED_TREE_H_

#include <string>

#include "tests/broker/temp_folder.h"
#include "tests/support/shell.h"

namespace sockgate::testing {

class InstalledTree {
 public:
  // Beneath `home`, in the folder that docs/embedding.md has.
  InstalledTree();

  // ./install with these options, by a user who shares nothing unasked.
  static Ran Install(const std::string& options);

  // In the home, by a program that was told of the prefix as docs/embedding.md tells it.
  Ran Run(const std::string& command) const;

  const std::string& home() const { return home_; }
  const std::string& prefix() const { return prefix_; }
  std::string Text(const std::string& file) const { return FileText(prefix_ + "/" + file); }

 private:
  const TempFolder folder_;
  const std::string home_ = folder_ / "home";
  const std::string prefix_ = folder_ / "home/sockgate";
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_PACKAGING_INSTALLED_TREE_H_
