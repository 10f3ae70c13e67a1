#include "tests/fuzz/fuzz_common.h"

FUZZ_FORMAT(ggml_legacy)
