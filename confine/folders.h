// Folders, as Landlock knows them: places, not names. A rule is about the folder that is there when
// it is made, whatever links led to it.
//
// Process: whoever is to be confined, before it is; and the broker afterwards, to foresee what
// Landlock will say of a path. Reads links, opens nothing.
// Hostile inputs: none, the paths are an operator's.

#ifndef SOCKGATE_CONFINE_FOLDERS_H_
#define SOCKGATE_CONFINE_FOLDERS_H_

#include <optional>
#include <string>
#include <vector>

namespace sockgate::confine {

// Where the path leads; nothing where that is nowhere.
std::optional<std::string> WithoutLinks(const std::string& path);

// What stands before the last slash: "/run" of "/run/x", "." of "x".
std::string FolderOf(const std::string& path);

// The folder of the path and, where the path is a link, the one of the file that it leads to,
// without links. A file is replaced by renaming another one, so it is the folder that has to be
// open for a file to be found again. A folder that is not there is left out.
std::vector<std::string> FoldersAround(const std::string& path);

// Whether the folder is one of `tops` or beneath one. All without links.
bool LiesBeneath(const std::string& folder, const std::vector<std::string>& tops);

// The same for every folder around the path; true where there is none, since nothing is there.
bool AreAllBeneath(const std::string& path, const std::vector<std::string>& tops);

}  // namespace sockgate::confine

#endif  // SOCKGATE_CONFINE_FOLDERS_H_
