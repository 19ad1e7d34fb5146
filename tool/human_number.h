// Numbers as a person reads them at a glance: two or three digits and a unit.
//
// Process: the operator's command. Pure. Printable ASCII of at most eleven characters, whatever the
// number.

#ifndef SOCKGATE_TOOL_HUMAN_NUMBER_H_
#define SOCKGATE_TOOL_HUMAN_NUMBER_H_

#include <cstdint>
#include <string>

namespace sockgate {

// "999", "1.2k", "12k", "3.4M", "18E".
std::string HumanCount(uint64_t count);

// Of something per second: "0", "<0.1", "0.5", "12", "3.4k".
std::string HumanRate(double per_second);

// "512 B", "1.5 KiB", "20 MiB".
std::string HumanBytes(uint64_t bytes);

// "850us", "1.2ms", "12ms", "3.4s", and from a minute on as HumanSeconds().
std::string HumanMicroseconds(uint64_t microseconds);

// "12s", "5m 3s", "3h 4m", "2d 5h".
std::string HumanSeconds(uint64_t seconds);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_HUMAN_NUMBER_H_
