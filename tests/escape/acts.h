// The acts, by what they would break.

#ifndef SOCKGATE_TESTS_ESCAPE_ACTS_H_
#define SOCKGATE_TESTS_ESCAPE_ACTS_H_

#include <vector>

#include "tests/escape/act.h"

namespace sockgate::escape {

std::vector<Act> NetworkActs();       // new sockets, and old ones pointed elsewhere
std::vector<Act> SocketOptionActs();  // options that change where or how bytes travel
std::vector<Act> ProcessActs();       // other programs, processes and memory
std::vector<Act> FileActs();          // files by their names, and memory by files
std::vector<Act> KernelActs();        // terminals, and wide kernel interfaces

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_ACTS_H_
