#include "tests/confine/bpf_machine.h"

#include <cstring>

namespace sockgate::confine {
namespace {

bool Jump(uint16_t code, uint32_t accumulator, uint32_t operand) {
  switch (BPF_OP(code)) {
    case BPF_JEQ:
      return accumulator == operand;
    case BPF_JGT:
      return accumulator > operand;
    case BPF_JGE:
      return accumulator >= operand;
    default:
      return (accumulator & operand) != 0;  // BPF_JSET
  }
}

}  // namespace

std::optional<uint32_t> RunFilter(const std::vector<sock_filter>& program,
                                  const seccomp_data& call) {
  uint32_t accumulator = 0;
  for (size_t at = 0; at < program.size(); ++at) {
    const sock_filter& step = program[at];
    switch (BPF_CLASS(step.code)) {
      case BPF_LD:
        if (step.k > sizeof(call) - sizeof(accumulator)) return std::nullopt;
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&call) + step.k,
                    sizeof(accumulator));
        break;
      case BPF_ALU:
        if (BPF_OP(step.code) != BPF_AND) return std::nullopt;
        accumulator &= step.k;
        break;
      case BPF_JMP:
        if (BPF_OP(step.code) == BPF_JA) {
          at += step.k;
        } else {
          at += Jump(step.code, accumulator, step.k) ? step.jt : step.jf;
        }
        break;
      case BPF_RET:
        return step.k;
      default:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace sockgate::confine
