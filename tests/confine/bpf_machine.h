// RunFilter: the kernel's classic-BPF machine, as far as seccomp filters use it, in plain C++.
//
// Lets a test ask a compiled filter about calls that it would rather not make.

#ifndef SOCKGATE_TESTS_CONFINE_BPF_MACHINE_H_
#define SOCKGATE_TESTS_CONFINE_BPF_MACHINE_H_

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace sockgate::confine {

// The SECCOMP_RET_ value, or nothing for a program that the kernel would not have taken.
std::optional<uint32_t> RunFilter(const std::vector<sock_filter>& program,
                                  const seccomp_data& call);

}  // namespace sockgate::confine

#endif  // SOCKGATE_TESTS_CONFINE_BPF_MACHINE_H_
