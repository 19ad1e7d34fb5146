#include "confine/folders.h"

#include <stdlib.h>

#include <algorithm>
#include <memory>

namespace sockgate::confine {

std::optional<std::string> WithoutLinks(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), free);
  if (real == nullptr) return std::nullopt;
  return std::string(real.get());
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::vector<std::string> FoldersAround(const std::string& path) {
  std::vector<std::string> folders;
  if (auto folder = WithoutLinks(FolderOf(path))) folders.push_back(*std::move(folder));
  if (const auto file = WithoutLinks(path)) {
    std::string folder = FolderOf(*file);
    if (folders.empty() || folders.front() != folder) folders.push_back(std::move(folder));
  }
  return folders;
}

bool LiesBeneath(const std::string& folder, const std::vector<std::string>& tops) {
  return std::any_of(tops.begin(), tops.end(), [&](const std::string& top) {
    if (top == "/" || folder == top) return true;
    return folder.compare(0, top.size(), top) == 0 && folder[top.size()] == '/';
  });
}

bool AreAllBeneath(const std::string& path, const std::vector<std::string>& tops) {
  const std::vector<std::string> folders = FoldersAround(path);
  return std::all_of(folders.begin(), folders.end(),
                     [&](const std::string& folder) { return LiesBeneath(folder, tops); });
}

}  // namespace sockgate::confine
