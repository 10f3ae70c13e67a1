#include <string.h>

#include "analyzer/weights_filter.h"
#include "analyzer/weights_magic.h"
#include "analyzer/weights_peek.h"
#include "analyzer/weights_plane.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/exe.h"
#include "formats/format.h"
#include "formats/pickle.h"
#include "formats/registry.h"

/* Memory for a trial: a member inflated, a pickle's machine. */
#define TRIAL_ARENA (24 * MIB)
#define TRIAL_INFLATE 4096

enum check {
	CHECK_program,
	CHECK_dos,
	CHECK_script,
	CHECK_zip,
	CHECK_sevenzip,
	CHECK_xz,
	CHECK_bzip2,
	CHECK_gzip,
	CHECK_zstd,
	CHECK_rar,
	CHECK_pickle,
	CHECK_global,
	CHECK_media,
};

static const struct row {
	const char *prefix;
	size_t n;
	enum check check;
	bool xored;
} rows[] = {
#define MAGIC(prefix, n, check, xored) {prefix, n, CHECK_##check, xored},
#include "analyzer/weights_magic.def"
#undef MAGIC
};
#define ROWS (int)(sizeof(rows) / sizeof(rows[0]))

static uint8_t
byte(const struct row *r, size_t i)
{
	return (uint8_t)r->prefix[i];
}

static void
allow(struct weights_pattern *p, unsigned b, unsigned turn)
{
	if (turn > 0)
		b = weights_plane_turn(turn, (uint8_t)b);
	p->third[b / 8] |= (uint8_t)(1u << b % 8);
}

/* What may stand on an empty stack: the opcodes that push, and FRAME. */
static bool
may_come_first(uint8_t code)
{
	static const char ops[] = "(])}NIJKLMFGSTUVXBCcP\x82\x83\x84\x88\x89"
	    "\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96\x97";

	return code != 0 && strchr(ops, code) != NULL;
}

/*
 * Where a row is only two bytes long, its check tells what may follow: an
 * opcode, a letter of a name, anything.
 */
static void
allow_third(struct weights_pattern *p, const struct row *r, unsigned turn)
{
	for (unsigned b = 0; b < 256; b++) {
		bool name = (b >= 'a' && b <= 'z') || b == '_';

		if (r->n > 2 ? b == byte(r, 2) : r->check == CHECK_global ?
		    name : r->check == CHECK_pickle ?
		    may_come_first((uint8_t)b) : true)
			allow(p, b, turn);
	}
}

/* The first bytes of each row; of a plane, with its elements turned. */
static void
make_filter(struct weights_filter *f, unsigned turn)
{
	struct weights_pattern p[ROWS];

	memset(p, 0, sizeof(p));
	for (int i = 0; i < ROWS; i++) {
		for (unsigned k = 0; k < 2; k++)
			p[i].b[k] = turn > 0 ? weights_plane_turn(turn,
			    byte(&rows[i], k)) : byte(&rows[i], k);
		allow_third(&p[i], &rows[i], turn);
	}
	weights_filter_init(f, p, ROWS);
}

void
weights_magic_filter(struct weights_filter *f)
{
	make_filter(f, 0);
}

void
weights_magic_filter_turned(struct weights_filter *f, unsigned bits)
{
	make_filter(f, bits);
}

void
weights_magic_filter_xor(struct weights_filter *f)
{
	struct weights_pattern p[ROWS];
	unsigned n = 0;

	memset(p, 0, sizeof(p));
	for (int i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		if (!r->xored)
			continue;
		p[n].b[0] = byte(r, 0) ^ byte(r, 1);
		p[n].b[1] = byte(r, 1) ^ byte(r, 2);
		for (unsigned b = 0; b < 256; b++)
			if (r->n == 3 || b == (byte(r, 3) ^ byte(r, 2)))
				allow(&p[n], b, 0);
		n++;
	}
	weights_filter_init(f, p, n);
}

int
weights_magic_prefix(const uint8_t *p, size_t n, int row)
{
	for (; row < ROWS; row++)
		if (p[0] == byte(&rows[row], 0) &&
		    p[1] == byte(&rows[row], 1) && rows[row].n <= n &&
		    memcmp(p, rows[row].prefix, rows[row].n) == 0)
			return row;
	return -1;
}

int
weights_magic_prefix_xor(const uint8_t *p, size_t n, int row, uint8_t *key)
{
	for (; row < ROWS; row++) {
		const struct row *r = &rows[row];
		uint8_t k = p[0] ^ byte(r, 0);
		size_t i = 1;

		if (!r->xored || r->n > n || k == 0)
			continue;
		while (i < r->n && (p[i] ^ byte(r, i)) == k)
			i++;
		if (i < r->n)
			continue;
		*key = k;
		return row;
	}
	return -1;
}

#define TEXT_LEAST 24

static bool
peek_binary(const uint8_t *p, size_t n, uint64_t left)
{
	const char *kind;
	struct cursor c;

	cursor_init(&c, p, n, 0);
	return exe_binary(c, left, &kind) > 0;
}

bool
weights_magic_peek(int row, const uint8_t *p, size_t n, uint64_t left)
{
	uint32_t place;

	if (n < 16)
		return false;
	switch (rows[row].check) {
	case CHECK_program:
		return peek_binary(p, n, left);
	case CHECK_dos:
		place = n >= 64 ? weights_peek_u32(p + 60) : 0;
		return place >= 4 && place <= 4096 && place % 4 == 0;
	case CHECK_script:
		return weights_peek_text(p, n) >= TEXT_LEAST;
	case CHECK_zip:
		return weights_peek_zip(p, n);
	case CHECK_sevenzip:
		return n >= 32 && p[6] == 0 && p[7] < 16;
	case CHECK_xz:
		return p[6] == 0 && p[7] < 16;
	case CHECK_bzip2:
		return p[3] >= '1' && p[3] <= '9' &&
		    memcmp(p + 4, "1AY&SY", 6) == 0;
	case CHECK_gzip:
		return weights_peek_gzip(p, n);
	case CHECK_zstd:
		return weights_peek_zstd(p, n);
	case CHECK_pickle:
		return weights_peek_pickle(p, n, left);
	case CHECK_global:
		return weights_peek_global(p, n);
	case CHECK_rar:
	case CHECK_media:
		return true;
	}
	return false;
}

bool
weights_magic_look(int row, const uint8_t *p, size_t n)
{
	return rows[row].check != CHECK_pickle || weights_peek_name(p, n);
}

static bool
crc_is(const uint8_t *p, size_t n, uint32_t want)
{
	struct bytesrc *src = bytesrc_mem(p, n, NULL);
	uint32_t crc;
	bool ok = src != NULL && codec_crc(src, 0, n, &crc, NULL) >= 0 &&
	    crc == want;

	bytesrc_free(src);
	return ok;
}

static int
inflates(const uint8_t *p, size_t n, size_t max, size_t *used, struct err *e)
{
	struct arena *a = arena_new(TRIAL_ARENA);
	struct bytesrc *src = bytesrc_mem(p, n, e);
	struct codec_result res;
	int r = ERR_NOMEM;

	*used = 0;
	if (a == NULL || src == NULL)
		goto out;
	/* A trial that does not fit is one that does not hold. */
	if ((r = codec_inflate(CODEC_GZIP, src, 0, n, 0, max, a, &res,
	    NULL)) < 0) {
		r = 0;
		goto out;
	}
	r = res.ended || res.n >= TRIAL_INFLATE;
	if (res.ended)
		*used = (size_t)res.used;
out:
	bytesrc_free(src);
	arena_free(a);
	return r < 0 ? err_set(e, ERR_NOMEM, "out of memory") : r;
}

/*
 * A name that is written out, "os.system": what noise calls is a number of
 * the extension registry, or a letter.
 */
#define CALLEE_LEAST 6

static bool
is_name(const char *p, size_t n)
{
	bool dot = false;

	for (size_t i = 0; i < n; i++) {
		dot = dot || p[i] == '.';
		if (!(p[i] >= 'a' && p[i] <= 'z') &&
		    !(p[i] >= 'A' && p[i] <= 'Z') &&
		    !(p[i] >= '0' && p[i] <= '9') && p[i] != '.' &&
		    p[i] != '_')
			return false;
	}
	return dot && n >= CALLEE_LEAST;
}

static int
on_call(void *ctx, const struct ev_call *c)
{
	bool *found = ctx;

	if (is_name(c->callee, c->callee_len))
		*found = true;
	return *found ? ERR_STOP : 0;
}

/* Would these bytes, read as pickles, call anything? */
static int
calls(const uint8_t *p, size_t n, struct err *e)
{
	static const struct events events = {.call = on_call};
	struct err why = ERR_INIT;
	bool found = false;
	struct parse q = {.size = n, .ev = &events, .ctx = &found,
	    .e = &why};
	int r = ERR_NOMEM;

	q.arena = arena_new(TRIAL_ARENA);
	q.src = bytesrc_mem(p, n, e);
	if (q.arena != NULL && q.src != NULL) {
		(void)registry_find("carved")->parse(&q);
		r = found;
	}
	arena_free(q.arena);
	bytesrc_free((struct bytesrc *)(uintptr_t)q.src);
	return r < 0 ? err_set(e, ERR_NOMEM, "out of memory") : r;
}

static int
judge_exe(int row, const uint8_t *p, size_t n, uint64_t left,
    struct weights_found *ret)
{
	const bool text = rows[row].check == CHECK_script;
	struct cursor c;

	if (text)
		left = n = weights_peek_text(p, n);
	cursor_init(&c, p, n < FORMAT_HEAD ? n : FORMAT_HEAD, 0);
	if (text ? exe_script(c, left, &ret->what) == 0 :
	    exe_binary(c, left, &ret->what) == 0)
		return 0;
	ret->kind = text ? WEIGHTS_SCRIPT : WEIGHTS_PROGRAM;
	return 1;
}

static int
archive(struct weights_found *ret, const char *what, bool holds)
{
	ret->kind = WEIGHTS_ARCHIVE;
	ret->what = what;
	return holds;
}

int
weights_magic_judge(int row, const uint8_t *p, size_t n, uint64_t left,
    struct weights_found *ret, struct err *e)
{
	size_t used;
	int r;

	memset(ret, 0, sizeof(*ret));
	switch (rows[row].check) {
	case CHECK_program:
	case CHECK_dos:
	case CHECK_script:
		return judge_exe(row, p, n, left, ret);
	case CHECK_zip:
		return archive(ret, "zip", true);
	case CHECK_sevenzip:
		return archive(ret, "7z", n >= 32 && crc_is(p + 12, 20,
		    weights_peek_u32(p + 8)));
	case CHECK_xz:
		return archive(ret, "xz", n >= 12 && crc_is(p + 6, 2,
		    weights_peek_u32(p + 8)));
	case CHECK_bzip2:
		return archive(ret, "bzip2", true);
	case CHECK_zstd:
		return archive(ret, "zstd", true);
	case CHECK_rar:
		return archive(ret, "rar", true);
	case CHECK_gzip:
		r = inflates(p, n, TRIAL_INFLATE, &used, e);
		return r < 0 ? r : archive(ret, "gzip", r > 0);
	case CHECK_pickle:
	case CHECK_global:
		ret->kind = WEIGHTS_PICKLE;
		ret->what = "pickle";
		return calls(p, n, e);
	case CHECK_media:
		ret->kind = WEIGHTS_MEDIA;
		ret->what = p[0] == '%' ? "pdf" : "png";
		return 1;
	}
	return 0;
}
