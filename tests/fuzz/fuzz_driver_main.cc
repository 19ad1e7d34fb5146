// Runs a fuzzer's function without libFuzzer: once over every file named on the command line, then
// over as many mutations of each as are asked for, the same ones every time.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

// In a buffer of exactly its size, so that AddressSanitizer sees a read past its end.
void Run(const std::string& input) {
  const auto exact = std::make_unique<uint8_t[]>(input.size());
  std::memcpy(exact.get(), input.data(), input.size());
  LLVMFuzzerTestOneInput(exact.get(), input.size());
}

class Mutator {
 public:
  std::string Mutate(std::string input) {
    for (size_t edits = 1 + Below(4); edits > 0; --edits) EditOnce(&input);
    return input;
  }

 private:
  size_t Below(size_t bound) { return random_() % bound; }
  char AnyByte() { return static_cast<char>(Below(256)); }

  void EditOnce(std::string* input) {
    const size_t at = Below(input->size() + 1);
    const bool inside = at < input->size();
    switch (Below(5)) {
      case 0:
        if (inside) (*input)[at] = static_cast<char>((*input)[at] ^ (1 << Below(8)));
        break;
      case 1:
        if (inside) (*input)[at] = AnyByte();
        break;
      case 2:
        input->insert(at, 1 + Below(16), AnyByte());
        break;
      case 3:
        input->erase(at, 1 + Below(16));
        break;
      case 4:
        input->resize(at);
        break;
    }
  }

  // NOLINTNEXTLINE(cert-msc32-c,cert-msc51-cpp): a failure must come back at the next run
  std::mt19937 random_{1};
};

}  // namespace

int main(int argc, char** argv) {
  const long mutations = argc < 3 ? 0 : std::strtol(argv[1], nullptr, 10);
  if (mutations <= 0) {
    std::fprintf(stderr, "usage: %s MUTATIONS SEED_FILE...\n", argv[0]);
    return 2;
  }
  Mutator mutator;
  for (int i = 2; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::string seed{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", argv[i]);
      return 1;
    }
    Run(seed);
    for (long n = 0; n < mutations; ++n) Run(mutator.Mutate(seed));
  }
  std::printf("%d seeds, %ld mutations of each\n", argc - 2, mutations);
  return 0;
}
