#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"
#include "tests/lib/change_case.h"

int
change_case_setup(void **state)
{
	struct change_case *c = *state;

	c->arena = arena_new(LIMIT_ARENA);
	buf_init(&c->text, 4 * MIB);
	buf_init(&c->numbers, 4 * MIB);
	c->rows = 0;
	c->answer = 0;
	return c->arena == NULL;
}

int
change_case_teardown(void **state)
{
	struct change_case *c = *state;

	arena_free(c->arena);
	buf_release(&c->text);
	buf_release(&c->numbers);
	return 0;
}

static void
put_text(struct buf *b, const struct row_text *t)
{
	if (t->p == NULL)
		buf_puts(b, "-");
	else
		buf_put(b, t->p, t->n);
}

int
change_case_take(void *ctx, const struct row_change *r)
{
	struct change_case *c = ctx;
	struct buf *numbers = c->apart ? &c->numbers : &c->text;
	const uint8_t *p;
	size_t n;

	c->rows++;
	buf_put(&c->text, r->key.p, r->key.n);
	buf_printf(&c->text, " %s ", change_what_name(r->what));
	put_text(&c->text, &r->old);
	buf_puts(&c->text, " -> ");
	put_text(&c->text, &r->new);
	p = basis_bytes(r->more, &n);
	assert_true(basis_check(p, n));
	if (c->apart)
		buf_puts(&c->text, "\n");
	else if (n > 0)
		buf_puts(&c->text, " | ");
	if (n > 0)
		basis_line(p, n, numbers);
	buf_puts(numbers, "\n");
	return c->answer;
}

void
change_case_forget(struct change_case *c)
{
	buf_clear(&c->text);
	buf_clear(&c->numbers);
	c->rows = 0;
}
