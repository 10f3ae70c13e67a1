#ifndef TESTS_FUZZ_FUZZ_COMMON_H_
#define TESTS_FUZZ_FUZZ_COMMON_H_

#include <stddef.h>
#include <stdint.h>

struct format;

/*
 * A fuzz target asserts meaning: the laws of tests/lib/format_case.h, on the
 * format itself and on its bid.  Ends the process when one is broken.
 */
int fuzz_format(const struct format *f, const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define FUZZ_FORMAT(id) \
	extern const struct format format_##id; \
	int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) \
	{ \
		return fuzz_format(&format_##id, p, n); \
	}

#endif /* !TESTS_FUZZ_FUZZ_COMMON_H_ */
