#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/basis.h"
#include "base/buf.h"
#include "tests/lib/basis_case.h"

void
basis_case_put(struct basis *s, struct buf *b)
{
	const uint8_t *p;
	size_t n;

	p = basis_bytes(s, &n);
	assert_true(basis_check(p, n));
	basis_line(p, n, b);
}

void
basis_case_text(struct basis *s, char *dst, size_t cap)
{
	struct buf b;

	buf_init(&b, cap - 1);
	basis_case_put(s, &b);
	assert_int_equal(buf_failed(&b), 0);
	assert_true(b.len < cap);
	memcpy(dst, buf_str(&b), b.len + 1);
	buf_release(&b);
}
