#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/pickle_script.h"

struct out {
	char *p;
	size_t n, cap;
};

static void
put(struct out *o, const void *p, size_t n)
{
	assert_true(n <= o->cap - o->n);
	memcpy(o->p + o->n, p, n);
	o->n += n;
}

static void
put_byte(struct out *o, unsigned b)
{
	const char c = (char)(uint8_t)b;

	put(o, &c, 1);
}

static void
put_text(struct out *o, const char *p, size_t n)
{
	put_byte(o, 0x8c);
	put_byte(o, (unsigned)n);
	put(o, p, n);
}

static void assemble(struct out *o, const char *p, size_t n);

static void
put_word(struct out *o, const char *p, size_t n)
{
	const char *colon;

	if (n > 2 && p[0] == 'G' && p[1] == ':') {
		colon = memchr(p + 2, ':', n - 2);
		assert_non_null(colon);
		put_text(o, p + 2, (size_t)(colon - p - 2));
		put_text(o, colon + 1, (size_t)(p + n - colon - 1));
		put_byte(o, 0x93);
	} else if (p[0] == '\'') {
		put_byte(o, 0x8c);
		put_byte(o, (unsigned)n - 1);
		for (size_t i = 1; i < n; i++)
			put_byte(o, p[i] == '~' ? ' ' : (uint8_t)p[i]);
	} else if (p[0] == '#') {
		assert_int_equal(n, 3);
		put_byte(o, (unsigned)strtoul(p + 1, NULL, 16));
	} else {
		assert_int_equal(n, 1);
		put(o, p, 1);
	}
}

/* The place of the '>' that ends the '<' at p[0]. */
static size_t
inner_end(const char *p, size_t n)
{
	unsigned depth = 0;

	for (size_t i = 0; i < n; i++) {
		depth += p[i] == '<';
		if (p[i] == '>' && --depth == 0)
			return i;
	}
	fail_msg("no '>' in a script");
	return n;
}

static void
assemble(struct out *o, const char *p, size_t n)
{
	static char inner[8][256];
	static unsigned depth;
	size_t i = 0, from, len;

	while (i < n) {
		if (p[i] == ' ') {
			i++;
		} else if (p[i] == '<') {
			struct out in = {inner[depth++], 0, 255};

			len = inner_end(p + i, n - i);
			put(&in, "\x80\x04", 2);
			assemble(&in, p + i + 1, len - 1);
			depth--;
			put_byte(o, 'C');
			put_byte(o, (unsigned)in.n);
			put(o, in.p, in.n);
			i += len + 1;
		} else {
			for (from = i; i < n && p[i] != ' ' && p[i] != '>';
			    i++)
				;
			put_word(o, p + from, i - from);
		}
	}
}

size_t
pickle_script(const char *script, char *dst, size_t cap)
{
	struct out o = {dst, 0, cap};

	put(&o, "\x80\x04", 2);
	assemble(&o, script, strlen(script));
	return o.n;
}
