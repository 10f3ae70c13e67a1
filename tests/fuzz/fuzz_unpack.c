#include "tests/fuzz/fuzz_common.h"

/*
 * libarchive asks for as much as a header states before it reads.  A worker
 * has LIMIT_WORKER_AS, beyond which malloc gives nothing: the same here.
 */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=1536";
}

FUZZ_FORMAT(compressed)
