#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz_common.h"
#include "tests/lib/format_case.h"

int
fuzz_format(const struct format *f, const uint8_t *p, size_t n)
{
	static struct format_case c, again;

	(void)format_case_bid(f, p, n);
	format_case_run(&c, f, p, n, 0);
	format_case_run(&again, f, p, n, 3);
	if (c.rc < 0 || c.outside || c.hash != again.hash) {
		(void)fprintf(stderr, "%s: rc %d, outside %d, equal %d\n",
		    f->name, c.rc, c.outside, c.hash == again.hash);
		abort();
	}
	return 0;
}
