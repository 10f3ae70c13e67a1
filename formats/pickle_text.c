#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ckd.h"
#include "base/err.h"
#include "formats/pickle_decode.h"
#include "formats/pickle_vm.h"

/*
 * Text arguments as Modules/_pickle.c reads them: integers have Python's
 * base 0 syntax and end at a NUL, STRING and UNICODE have escapes, memo
 * indexes may carry blanks, signs and underscores.  Whatever a writer would
 * not make is told once (TEXT_TRICK); it is read all the same.
 */
static bool
is_plain_decimal(const char *p, size_t n)
{
	size_t i = n > 0 && p[0] == '-';

	if (i == n || (p[i] == '0' && n - i > 1))
		return false;
	for (; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

/*
 * Python's int(text, 0): blanks around, a sign, 0x 0o 0b, underscores between
 * digits.  *fits is false when the value passes 64 bits.
 */
static bool
python_int(const char *p, size_t n, unsigned base, int64_t *ret, bool *fits)
{
	bool negative = false, any = false, under = false;
	uint64_t v = 0;
	unsigned d;

	while (n > 0 && strchr(" \t\r\f\v", *p) != NULL && *p != '\0')
		p++, n--;
	while (n > 0 && strchr(" \t\r\f\v", p[n - 1]) != NULL &&
	    p[n - 1] != '\0')
		n--;
	if (n > 0 && (*p == '-' || *p == '+')) {
		negative = *p == '-';
		p++, n--;
	}
	if (base == 0) {
		base = 10;
		if (n > 1 && p[0] == '0') {
			char k = (char)(p[1] | 32);

			base = k == 'x' ? 16 : k == 'o' ? 8 : k == 'b' ? 2 : 8;
			if (k == 'x' || k == 'o' || k == 'b')
				p += 2, n -= 2;
		}
	}
	*fits = true;
	for (; n > 0; p++, n--) {
		if (*p == '_' && any && !under) {
			under = true;
			continue;
		}
		d = *p >= '0' && *p <= '9' ? (unsigned)(*p - '0') :
		    (*p | 32) >= 'a' && (*p | 32) <= 'f' ?
		    (unsigned)((*p | 32) - 'a') + 10 : 99;
		if (d >= base)
			return false;
		under = false;
		any = true;
		if (!ckd_mul64(&v, v, base) || !ckd_add64(&v, v, d) ||
		    v > INT64_MAX)
			*fits = false;
	}
	*ret = !*fits ? 0 : negative ? -(int64_t)v : (int64_t)v;
	return any && !under;
}

int
pickle_text_int(struct pickle_vm *vm, struct pickle_op *op, bool is_long,
    struct pv **ret)
{
	const char *p = (const char *)op->p;
	size_t n = strnlen(p, op->n);	/* C stops at a NUL */
	bool odd = n != op->n, fits;
	int64_t v;
	int r;

	if (!is_long && n == 2 && p[0] == '0' && (p[1] == '0' ||
	    p[1] == '1')) {
		if ((*ret = pv_bool(vm, p[1] == '1')) == NULL)
			return ERR_NOMEM;
		return odd ? pickle_trick(vm, op) : 0;
	}
	if (is_long && n > 0 && p[n - 1] == 'L')
		n--;
	odd = odd || !is_plain_decimal(p, n);
	if (odd && (r = pickle_trick(vm, op)) < 0)
		return r;
	if (!python_int(p, n, 0, &v, &fits))
		return ERR_FORMAT;
	*ret = fits ? pv_int(vm, v) : pv_text(vm, PV_LONG, p, n);
	return *ret != NULL ? 0 : ERR_NOMEM;
}

bool
pickle_text_index(struct pickle_vm *vm, const struct pickle_op *op,
    uint64_t *ret)
{
	const char *p = (const char *)op->p;
	size_t n = strnlen(p, op->n);
	bool fits;
	int64_t v;

	if ((n != op->n || !is_plain_decimal(p, n)) && pickle_trick(vm, op) < 0)
		return false;
	if (!python_int(p, n, 10, &v, &fits) || !fits || v < 0)
		return false;
	*ret = (uint64_t)v;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escape of a bytes literal after its backslash; 0 when malformed. */
static size_t
unescape(const char *p, size_t n, char *dst, size_t *out)
{
	static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
	const char *hit;
	int hi, lo, v = 0;
	size_t i;

	if (n == 0)
		return 0;
	if (*p == 'x') {
		if (n < 3 || (hi = hex_digit(p[1])) < 0 ||
		    (lo = hex_digit(p[2])) < 0)
			return 0;
		dst[(*out)++] = (char)(uint8_t)(hi * 16 + lo);
		return 3;
	}
	if (*p >= '0' && *p <= '7') {
		for (i = 0; i < 3 && i < n && p[i] >= '0' && p[i] <= '7'; i++)
			v = v * 8 + (p[i] - '0');
		dst[(*out)++] = (char)(uint8_t)v;
		return i;
	}
	if (*p == '\n')
		return 1;
	if (*p != '\0' && (hit = strchr(from, *p)) != NULL) {
		dst[(*out)++] = to[hit - from];
		return 1;
	}
	dst[(*out)++] = '\\';	/* unknown escapes stay */
	dst[(*out)++] = *p;
	return 1;
}

int
pickle_text_string(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv **ret)
{
	const char *p = (const char *)op->p;
	size_t n = op->n, out = 0, step;
	char *dst;

	/* The C unpickler strips blanks at the end, then wants equal quotes. */
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t' ||
	    p[n - 1] == '\r'))
		n--;
	if (n < 2 || (p[0] != '\'' && p[0] != '"') || p[n - 1] != p[0])
		return ERR_FORMAT;
	p++;
	n -= 2;
	if ((dst = arena_alloc(vm->p->arena, 2 * n + 1)) == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < n;) {
		if (p[i] != '\\') {
			dst[out++] = p[i++];
			continue;
		}
		if ((step = unescape(p + i + 1, n - i - 1, dst, &out)) == 0)
			return ERR_FORMAT;
		i += step + 1;
	}
	/* Python 3 decodes it; as a name or command it is text. */
	*ret = pv_text(vm, PV_STR, dst, out);
	return *ret != NULL ? 0 : ERR_NOMEM;
}

/* raw-unicode-escape: \uXXXX and \UXXXXXXXX, all else Latin-1. */
int
pickle_text_unicode(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv **ret)
{
	const char *p = (const char *)op->p;
	size_t n = op->n, out = 0, digits;
	bool escape = false;
	uint32_t cp;
	char *dst;

	if ((dst = arena_alloc(vm->p->arena, 4 * n + 1)) == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < n;) {
		/* A backslash that is itself escaped begins nothing. */
		if (p[i] != '\\' || i + 1 == n ||
		    (p[i + 1] != 'u' && p[i + 1] != 'U')) {
			escape = p[i] == '\\' && i + 1 < n && p[i + 1] == '\\';
			out += pickle_put_utf8(dst + out, (uint8_t)p[i++]);
			if (escape)
				out += pickle_put_utf8(dst + out, (uint8_t)p[i++]);
			continue;
		}
		digits = p[i + 1] == 'u' ? 4 : 8;
		if (n - i - 2 < digits)
			return ERR_FORMAT;
		cp = 0;
		for (size_t k = 0; k < digits; k++) {
			int d = hex_digit(p[i + 2 + k]);

			if (d < 0)
				return ERR_FORMAT;
			cp = cp << 4 | (uint32_t)d;
		}
		if (cp > 0x10ffff)
			return ERR_FORMAT;
		out += pickle_put_utf8(dst + out, cp);
		i += 2 + digits;
	}
	*ret = pv_text(vm, PV_STR, dst, out);
	return *ret != NULL ? 0 : ERR_NOMEM;
}

/* C reads up to a NUL and wants all of that; Python's float has no hex. */
bool
pickle_text_float(const struct pickle_op *op, double *ret)
{
	const char *p = (const char *)op->p;
	char *end;

	if (*p == ' ' || *p == '\t' || strpbrk(p, "xXpP") != NULL)
		return false;
	*ret = strtod(p, &end);
	return end != p && *end == '\0';
}
