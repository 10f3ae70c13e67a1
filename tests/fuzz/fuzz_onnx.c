#include "tests/fuzz/fuzz_common.h"

FUZZ_FORMAT(onnx)
