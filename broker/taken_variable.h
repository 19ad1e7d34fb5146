// TakeVariable: what the service manager says to this process, and to no child of it.
//
// Process: broker, while no other thread reads the environment.

#ifndef SOCKGATE_BROKER_TAKEN_VARIABLE_H_
#define SOCKGATE_BROKER_TAKEN_VARIABLE_H_

#include <cstdlib>
#include <string>

namespace sockgate {

// The variable's text, empty where there is none; the environment has it no more.
inline std::string TakeVariable(const char* name) {
  const char* value = getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_TAKEN_VARIABLE_H_
