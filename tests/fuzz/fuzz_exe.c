#include "tests/fuzz/fuzz_common.h"

extern const struct format format_elf, format_pe, format_macho, format_wasm;

/* Each of the four on every input: a bid is not needed to break a parser. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	return fuzz_format(&format_elf, p, n) |
	    fuzz_format(&format_pe, p, n) | fuzz_format(&format_macho, p, n) |
	    fuzz_format(&format_wasm, p, n);
}
