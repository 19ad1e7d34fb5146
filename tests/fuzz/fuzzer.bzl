"""A fuzzer with its seeds: a libFuzzer binary, and a test that needs no libFuzzer."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_test")

def fuzzer(name, deps, size = "small", mutations = 5000):
    """Declares NAME_fuzzer, under --config=fuzz alone, and NAME_fuzzer_test, everywhere.

    Args:
      name: names NAME_fuzzer.cc and the folder of the seeds, corpus/NAME.
      deps: what NAME_fuzzer.cc includes.
      size: of the test.
      mutations: how many of each seed the test runs.
    """
    seeds = native.glob(["corpus/{}/*".format(name)])
    source = name + "_fuzzer.cc"
    cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        srcs = [source],
        args = ["tests/fuzz/corpus/" + name],
        data = seeds,
        linkopts = ["-fsanitize=fuzzer"],
        target_compatible_with = select({
            ":libfuzzer": [],
            "//conditions:default": ["@platforms//:incompatible"],
        }),
        deps = deps,
    )
    cc_test(
        name = name + "_fuzzer_test",
        size = size,
        srcs = [
            source,
            "fuzz_driver_main.cc",
        ],
        args = [str(mutations)] + ["$(locations {})".format(seed) for seed in seeds],
        data = seeds,
        deps = deps,
    )
