#include <string.h>

#include "analyzer/intake/logs_worker.h"
#include "analyzer/intake/logwire.h"
#include "analyzer/intake/members.h"
#include "analyzer/intake/outbox.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/digest.h"
#include "formats/logs/logs.h"

struct worker {
	struct members m;
	struct outbox out;
	struct digest *d;	/* one for all: made before the fence */
	struct err *e;
};

static int
send_record(void *ctx, const struct logs_record *r)
{
	struct worker *w = ctx;

	return outbox_send(&w->out, LOGWIRE_REQUEST, logs_columns,
	    LOGS_COLUMNS, r->v, w->e);
}

static size_t
path_cut(size_t n)
{
	return n < LIMIT_PATH ? n : LIMIT_PATH;
}

static void
put_str(struct field *f, const char *s)
{
	if (s != NULL)
		fields_text(f, s, strlen(s));
}

static int
send_problem(void *ctx, const struct logs_told *t)
{
	struct field v[LOGWIRE_PROBLEM_COLUMNS] = {{0}};
	struct worker *w = ctx;

	fields_u64(&v[LOGWIRE_P_ID], t->id);
	fields_text(&v[LOGWIRE_P_PATH], t->path, path_cut(t->path_len));
	fields_u64(&v[LOGWIRE_P_LINE], t->line);
	fields_u64(&v[LOGWIRE_P_OFF], t->off);
	fields_u64(&v[LOGWIRE_P_LEN], t->len);
	put_str(&v[LOGWIRE_P_WHAT], t->what);
	return outbox_send(&w->out, LOGWIRE_PROBLEM, logwire_problem,
	    LOGWIRE_PROBLEM_COLUMNS, v, w->e);
}

static int
sha256(void *ctx, const void *p, size_t n, uint8_t out[32], struct err *e)
{
	struct worker *w = ctx;
	struct digests sum;
	int r;

	if ((r = digest_reset(w->d, e)) < 0 ||
	    (r = digest_put(w->d, p, n, e)) < 0 ||
	    (r = digest_now(w->d, &sum, e)) < 0)
		return r;
	memcpy(out, sum.sha256, 32);
	return 0;
}

static int
send_secret(void *ctx, const struct logs_secret *s)
{
	struct field v[LOGWIRE_SECRET_COLUMNS] = {{0}};
	struct worker *w = ctx;
	uint8_t sum[32];
	int r;

	if ((r = sha256(w, s->p, s->n, sum, w->e)) < 0)
		return r;
	put_str(&v[LOGWIRE_S_KIND], s->kind);
	fields_text(&v[LOGWIRE_S_PATH], s->path, path_cut(s->path_len));
	fields_u64(&v[LOGWIRE_S_LINE], s->line);
	fields_u64(&v[LOGWIRE_S_OFF], s->off);
	fields_u64(&v[LOGWIRE_S_LEN], s->len);
	put_str(&v[LOGWIRE_S_COLUMN], s->column);
	fields_hex(&v[LOGWIRE_S_SHA256], sum, sizeof(sum));
	return outbox_send(&w->out, LOGWIRE_SECRET, logwire_secret,
	    LOGWIRE_SECRET_COLUMNS, v, w->e);
}

static int
send_account(void *ctx, const struct logs_account *a)
{
	struct field v[LOGWIRE_LOG_COLUMNS] = {{0}};
	double problems[LOGS_PROBLEMS], shapes[64];
	struct worker *w = ctx;

	for (unsigned i = 0; i < LOGS_PROBLEMS; i++)
		problems[i] = (double)a->problem[i];
	for (unsigned i = 0; i < logs_shapes(); i++)
		shapes[i] = (double)a->shape[i];
	fields_text(&v[LOGWIRE_L_PATH], a->path, path_cut(a->path_len));
	put_str(&v[LOGWIRE_L_FRAMING], a->framing);
	put_str(&v[LOGWIRE_L_DECOMPRESSED], a->decompressed);
	fields_u64(&v[LOGWIRE_L_BYTES], a->bytes);
	fields_u64(&v[LOGWIRE_L_RECORDS], a->records);
	fields_u64(&v[LOGWIRE_L_OUTSIDE], a->outside);
	fields_u64(&v[LOGWIRE_L_UNDATED], a->undated);
	fields_u64(&v[LOGWIRE_L_SECRETS], a->secrets);
	if (a->has_first) {
		fields_i64(&v[LOGWIRE_L_FIRST], a->first_ns);
		fields_i64(&v[LOGWIRE_L_LAST], a->last_ns);
	}
	fields_reals(&v[LOGWIRE_L_PROBLEMS], problems, LOGS_PROBLEMS);
	fields_reals(&v[LOGWIRE_L_SHAPES], shapes, logs_shapes());
	return outbox_send(&w->out, LOGWIRE_LOG, logwire_log,
	    LOGWIRE_LOG_COLUMNS, v, w->e);
}

static int
one_file(struct worker *w, struct logs *l, const struct member *f)
{
	struct logs_file file = {.path = f->path, .path_len = f->path_len,
	    .mtime_ns = f->mtime_ns, .has_since = f->since_ns != INT64_MIN,
	    .since_ns = f->since_ns, .has_until = f->until_ns != INT64_MAX,
	    .until_ns = f->until_ns};
	struct bytesrc *src;
	int r;

	if (f->type != 'f' || !f->stored)
		return 0;
	if ((r = members_open(&w->m, f, &src, w->e)) < 0)
		return r;
	file.src = src;
	r = logs_read(l, &file, w->e);
	bytesrc_free(src);
	return r < 0 ? r : 0;
}

static int
work(struct worker *w, struct arena *a)
{
	const struct logs_events ev = {.record = send_record,
	    .problem = send_problem, .secret = send_secret,
	    .account = send_account, .sha256 = sha256, .ctx = w};
	const struct derive_go *go = &w->m.go;
	const struct logs_params p = {.ev = &ev,
	    .content = go->mask == 1 ? LOGS_MASK : LOGS_KEEP,
	    .zone_given = go->zone_given == 1,
	    .zone_min = go->zone_seconds / 60};
	struct logs *l;
	int r;

	if ((r = members_load(&w->m, 1U << BAG_API_LOGS, a, w->e)) < 0)
		return r;
	if ((l = logs_new(&p, w->e)) == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < w->m.n && r >= 0; i++)
		r = one_file(w, l, &w->m.v[i]);
	if (r >= 0)
		r = logs_end(l, w->e);
	logs_free(l);
	if (r >= 0 && w->m.cut)
		r = outbox_send(&w->out, LOGWIRE_CUT, NULL, 0, NULL, w->e);
	return r < 0 ? r : outbox_flush(&w->out, w->e);
}

int
logs_worker_main(void *arg, int out_fd)
{
	struct err e = ERR_INIT;
	struct worker w = {.e = &e};
	struct arena *a = NULL;
	int r;

	if (members_receive(&w.m, arg, &e) < 0 || digest_start(&e) < 0 ||
	    (w.d = digest_new(DIGEST_SHA256, &e)) == NULL ||
	    members_fence(out_fd, &e) < 0 ||
	    (a = arena_new(LIMIT_INTAKE_ARENA)) == NULL)
		return 2;
	outbox_init(&w.out, out_fd);
	r = work(&w, a);
	outbox_release(&w.out);
	members_release(&w.m);
	arena_free(a);
	digest_free(w.d);
	return r < 0 ? 1 : 0;
}
