#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/frame.h"
#include "base/buf.h"
#include "base/limits.h"
#include "formats/logs/logs.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * The reader of logs.  The first byte chooses: the window, a mapping, what
 * becomes of contents, whether the file is read twice (pairs through files).
 * Every record fits a frame and lies within its file, and windows agree.
 */
struct seen {
	uint64_t hash;
	size_t size;
};

static void
mix(struct seen *s, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		s->hash = (s->hash ^ b[i]) * UINT64_C(0x100000001b3);
}

static int
record(void *ctx, const struct logs_record *r)
{
	struct seen *s = ctx;
	const struct field *v = r->v;
	struct buf b;

	buf_init(&b, LIMIT_FRAME + FRAME_HEADER);
	fields_put(&b, 1, logs_columns, LOGS_COLUMNS, v);
	if (frame_seal(&b, NULL) < 0)
		abort();
	mix(s, b.p, b.len);
	buf_release(&b);
	if (!v[LOGS_KIND].set || !v[LOGS_SHAPE].set || !v[LOGS_SOURCE].set ||
	    v[LOGS_RAW_OFF].u > s->size ||
	    v[LOGS_RAW_LEN].u > s->size - v[LOGS_RAW_OFF].u)
		abort();
	if (v[LOGS_IN_OFF].set && (v[LOGS_IN_OFF].u > s->size ||
	    v[LOGS_IN_LEN].u > s->size - v[LOGS_IN_OFF].u))
		abort();
	return 0;
}

static int
problem(void *ctx, const struct logs_told *t)
{
	mix(ctx, &t->id, sizeof(t->id));
	mix(ctx, &t->off, sizeof(t->off));
	return 0;
}

static int
secret(void *ctx, const struct logs_secret *x)
{
	struct seen *s = ctx;

	if (x->off > s->size || x->len > s->size - x->off || x->n == 0)
		abort();
	mix(s, x->p, x->n);
	return 0;
}

static int
account(void *ctx, const struct logs_account *a)
{
	mix(ctx, &a->records, sizeof(a->records));
	return 0;
}

static int
sha256(void *ctx, const void *p, size_t n, uint8_t out[32], struct err *e)
{
	struct seen s = {0};

	(void)ctx;
	(void)e;
	mix(&s, p, n);
	memset(out, (int)(s.hash & 0xff), 32);
	return 0;
}

static uint64_t
run(const uint8_t *p, size_t n, uint8_t how, size_t window)
{
	struct seen s = {.size = SIZE_MAX};
	const struct logs_events ev = {record, problem, secret, account,
	    sha256, &s};
	const struct logs_params lp = {.ev = &ev, .window = window,
	    .pending = MIB,
	    .content = (how & 1) != 0 ? LOGS_MASK : LOGS_KEEP,
	    .fields = (how & 2) != 0 ? "time=t,caller=c.0,input=a.b,"
	    "scores=s,label=l,shape=d,output=o" : NULL,
	    .year = (how & 4) != 0 ? 2024 : 0};
	struct bytesrc *src = bytesrc_mem(p, n, NULL);
	struct logs_file f = {.path = "a.log", .path_len = 5, .src = src,
	    .mtime_ns = INT64_C(1785628800000000000)};
	struct err e = ERR_INIT;
	struct logs *l = logs_new(&lp, &e);

	if (src == NULL || l == NULL)
		abort();
	/* A compressed file's offsets are those of what it becomes. */
	if (n < 3 || (p[0] != 0x1f && p[0] != 0xfd))
		s.size = n;
	for (int k = 0; k < ((how & 8) != 0 ? 2 : 1); k++)
		if (logs_read(l, &f, &e) < 0)
			abort();
	if (logs_end(l, &e) < 0)
		abort();
	logs_free(l);
	bytesrc_free(src);
	return s.hash;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t how;

	if (n == 0)
		return 0;
	how = p[0];
	if (run(p + 1, n - 1, how, 0) != run(p + 1, n - 1, how,
	    (how & 16) != 0 ? 7 : 61)) {
		(void)fprintf(stderr, "windows do not agree\n");
		abort();
	}
	return 0;
}
