#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "formats/logs/shape.h"

/*
 * The canonical form of an input, for finding near duplicates by its digest:
 * runs of white space are one blank, and in what is numbers (json, csv) each
 * is rounded to six places and written without zeros at its end; blanks
 * between numbers and marks go.  A digit sequence within a word is no number.
 */
#define CANON_MOST (1 * MIB)	/* longer inputs have no such digest */

struct canon {
	const uint8_t *p;
	size_t n, i;
	uint8_t *out;
	size_t k;
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(uint8_t c)
{
	return c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	    is_digit(c) || c >= 0x80;
}

static void
put_fixed(struct canon *x, bool minus, uint64_t micro)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%s%llu.%06llu",
	    minus && micro > 0 ? "-" : "",
	    (unsigned long long)(micro / 1000000),
	    (unsigned long long)(micro % 1000000));

	while (n > 0 && text[n - 1] == '0')
		n--;
	if (n > 0 && text[n - 1] == '.')
		n--;
	memcpy(x->out + x->k, text, (size_t)n);
	x->k += (size_t)n;
}

/* -?digits(.digits)? without exponent, small enough for 64 bits. */
static bool
plain(struct canon *x, size_t len)
{
	const uint8_t *p = x->p + x->i;
	uint64_t whole = 0, part = 0, unit = 100000;
	size_t i = p[0] == '-' ? 1 : 0;
	const bool minus = i == 1;

	for (; i < len && is_digit(p[i]); i++) {
		if (whole > UINT64_C(1000000000000))
			return false;
		whole = whole * 10 + (uint64_t)(p[i] - '0');
	}
	if (i < len && p[i] == '.') {
		for (i++; i < len && is_digit(p[i]); i++) {
			if (unit == 0) {
				part += p[i] >= '5' ? 1 : 0;
				for (; i < len && is_digit(p[i]); i++)
					continue;
				break;
			}
			part += (uint64_t)(p[i] - '0') * unit;
			unit /= 10;
		}
	}
	if (i != len)
		return false;
	put_fixed(x, minus, whole * 1000000 + part);
	return true;
}

static size_t
number_length(const struct canon *x)
{
	size_t i = x->i;

	if (x->p[i] == '-')
		i++;
	if (i >= x->n || !is_digit(x->p[i]))
		return 0;
	while (i < x->n && (is_digit(x->p[i]) || x->p[i] == '.' ||
	    ((x->p[i] | 0x20) == 'e' && i + 1 < x->n) ||
	    ((x->p[i] == '-' || x->p[i] == '+') &&
	    (x->p[i - 1] | 0x20) == 'e')))
		i++;
	return i - x->i;
}

static bool
number(struct canon *x)
{
	size_t len;
	double d;

	if ((x->i > 0 && is_word(x->p[x->i - 1])) ||
	    (len = number_length(x)) == 0)
		return false;
	if (!plain(x, len)) {
		/* What is none (1.2.3) stands as a whole: time is linear. */
		if (jdoc_decimal(x->p + x->i, len, &d) && fabs(d) < 1e12) {
			put_fixed(x, d < 0, (uint64_t)(fabs(d) * 1e6 + 0.5));
		} else {
			memcpy(x->out + x->k, x->p + x->i, len);
			x->k += len;
		}
	}
	x->i += len;
	return true;
}

static void
fold(struct canon *x, bool numeric)
{
	while (x->i < x->n) {
		const uint8_t c = x->p[x->i];

		if (is_blank(c)) {
			while (x->i < x->n && is_blank(x->p[x->i]))
				x->i++;
			if (x->k > 0 && x->i < x->n && (!numeric ||
			    (is_word(x->out[x->k - 1]) &&
			    (is_word(x->p[x->i]) || x->p[x->i] == '-'))))
				x->out[x->k++] = ' ';
			continue;
		}
		if (numeric && (is_digit(c) || c == '-') && number(x))
			continue;
		x->out[x->k++] = c;
		x->i++;
	}
}

bool
canon_text(struct arena *a, const uint8_t *p, size_t n, const char *type,
    const uint8_t **ret, size_t *ret_n)
{
	struct canon x = {.p = p, .n = n};
	const bool numeric = type != NULL && (strcmp(type, "json") == 0 ||
	    strcmp(type, "csv") == 0);

	/* A number of three bytes, 1e9, becomes at most twenty. */
	if (n > CANON_MOST || (x.out = arena_alloc(a, 7 * n + 32)) == NULL)
		return false;
	fold(&x, numeric);
	*ret = x.out;
	*ret_n = x.k;
	return true;
}
