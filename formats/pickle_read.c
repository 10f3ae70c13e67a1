#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "formats/pickle_vm.h"

/*
 * Opcodes and their arguments as Modules/_pickle.c reads them, which is not
 * how Lib/pickletools.py does: text integers have Python's base 0 syntax and
 * end at a NUL, STRING and UNICODE have escapes, memo indexes may carry
 * blanks, signs and underscores.  Whatever a writer would not make is told
 * once (TEXT_TRICK); it is read all the same.
 */
static const struct pickle_opinfo infos[256] = {
#define OP(name, code, arg) [(uint8_t)(code)] = {#name, ARG_##arg},
#include "formats/pickle_ops.def"
#undef OP
};

const struct pickle_opinfo *
pickle_opinfo(uint8_t code)
{
	return &infos[code];
}

static uint64_t
le(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static double
be_double(const uint8_t *p)
{
	uint64_t v = 0;
	double d;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | p[i];
	memcpy(&d, &v, sizeof(d));
	return d;
}

/* Long constants are stepped over: their place is known, their bytes not. */
static int
read_counted(struct pickle_vm *vm, struct pickle_op *op, uint64_t n)
{
	int r;

	op->num = n;
	if (n > reader_left(vm->r))
		return ERR_TRUNC;
	if (n > LIMIT_PICKLE_CONST)
		return reader_skip(vm->r, n, vm->p->e);
	if ((r = reader_bytes(vm->r, n, vm->p->arena, &op->p, vm->p->e)) < 0)
		return r;
	op->n = (size_t)n;
	return 0;
}

static int
read_line(struct pickle_vm *vm, const uint8_t **p, size_t *n)
{
	return reader_line(vm->r, '\n', LIMIT_PICKLE_LINE, vm->p->arena, p, n,
	    vm->p->e);
}

static int
read_argument(struct pickle_vm *vm, struct pickle_op *op,
    enum pickle_arg arg)
{
	static const unsigned widths[] = {0, 1, 2, 4, 8, 4, 8, 1, 4, 4, 8};
	uint8_t raw[8];
	int r;

	if (arg == ARG_NO)
		return 0;
	if (arg == ARG_LINE || arg == ARG_LINES) {
		if ((r = read_line(vm, &op->p, &op->n)) < 0 ||
		    arg == ARG_LINE)
			return r;
		return read_line(vm, &op->p2, &op->n2);
	}
	if ((r = reader_copy(vm->r, raw, widths[arg], vm->p->e)) < 0)
		return r;
	op->num = le(raw, widths[arg]);
	if (arg == ARG_I4 || arg == ARG_N4S)
		op->inum = (int32_t)op->num;
	if (arg == ARG_F8)
		op->real = be_double(raw);
	if (arg == ARG_N4S && op->inum < 0)
		return ERR_FORMAT;
	return arg >= ARG_N1 && arg <= ARG_N8 ?
	    read_counted(vm, op, op->num) : 0;
}

/* An unbuffered reader drops the rest of a frame that an opcode straddles. */
static int
check_frame(struct pickle_vm *vm, const struct pickle_op *op)
{
	bool crosses = vm->frame_end != 0 && op->off < vm->frame_end &&
	    op->end > vm->frame_end;
	bool nested = op->code == 0x95 && vm->frame_end != 0 &&
	    op->off < vm->frame_end;

	if ((!crosses && !nested) || vm->frame_told)
		return 0;
	vm->frame_told = true;
	return format_anomaly(vm->p, ANOMALY_PICKLE_FRAME, op->off,
	    op->end - op->off, NULL, 0);
}

int
pickle_read_op(struct pickle_vm *vm, struct pickle_op *op)
{
	enum pickle_arg arg;
	int r;

	memset(op, 0, sizeof(*op));
	op->off = reader_tell(vm->r);
	op->end = op->off + 1;
	if ((r = reader_u8(vm->r, &op->code, vm->p->e)) < 0) {
		if (r == ERR_TRUNC)
			return pickle_fail(vm, ANOMALY_PICKLE_NO_STOP, op);
		return r;
	}
	if (infos[op->code].name == NULL)
		return pickle_fail(vm, ANOMALY_PICKLE_BAD_OPCODE, op);
	arg = infos[op->code].arg;
	r = read_argument(vm, op, arg);
	if (r == ERR_TRUNC)
		return pickle_fail(vm, ANOMALY_TRUNCATED, op);
	if (r == ERR_FORMAT)
		return pickle_fail(vm, ANOMALY_PICKLE_BAD_ARGUMENT, op);
	if (r == ERR_LIMIT || r == ERR_NOMEM)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	if (r < 0)
		return r;
	op->end = reader_tell(vm->r);
	return check_frame(vm, op);
}

static int
trick(struct pickle_vm *vm, const struct pickle_op *op)
{
	const struct fact facts[] = {FACT_TEXT("argument", op->p,
	    op->n < 64 ? op->n : 64)};

	if (vm->trick_told)
		return 0;
	vm->trick_told = true;
	return format_anomaly(vm->p, ANOMALY_PICKLE_TEXT_TRICK, op->off,
	    op->end - op->off, facts, 1);
}

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
		if ((*ret = pv_int(vm, p[1] - '0')) == NULL)
			return ERR_NOMEM;
		(*ret)->kind = PV_BOOL;
		return odd ? trick(vm, op) : 0;
	}
	if (is_long && n > 0 && p[n - 1] == 'L')
		n--;
	odd = odd || !is_plain_decimal(p, n);
	if (odd && (r = trick(vm, op)) < 0)
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

	if ((n != op->n || !is_plain_decimal(p, n)) && trick(vm, op) < 0)
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

static size_t
put_utf8(char *dst, uint32_t cp)
{
	if (cp < 0x80) {
		dst[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		dst[0] = (char)(0xc0 | cp >> 6);
		dst[1] = (char)(0x80 | (cp & 63));
		return 2;
	}
	if (cp < 0x10000) {
		dst[0] = (char)(0xe0 | cp >> 12);
		dst[1] = (char)(0x80 | (cp >> 6 & 63));
		dst[2] = (char)(0x80 | (cp & 63));
		return 3;
	}
	dst[0] = (char)(0xf0 | cp >> 18);
	dst[1] = (char)(0x80 | (cp >> 12 & 63));
	dst[2] = (char)(0x80 | (cp >> 6 & 63));
	dst[3] = (char)(0x80 | (cp & 63));
	return 4;
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
			out += put_utf8(dst + out, (uint8_t)p[i++]);
			if (escape)
				out += put_utf8(dst + out, (uint8_t)p[i++]);
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
		out += put_utf8(dst + out, cp);
		i += 2 + digits;
	}
	*ret = pv_text(vm, PV_STR, dst, out);
	return *ret != NULL ? 0 : ERR_NOMEM;
}
