#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/apilog/apilog_record.h"
#include "analyzer/apilog/apilog_spool.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/logs/logs.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * From a log to records in the order of time.  The first byte chooses a
 * mapping.  Every byte and number of a record is there, and what comes out of
 * the spool is what went in, by time.
 */
struct chain {
	struct apilog_record x;
	struct apilog_spool *spool;
	uint64_t in, sum_in;
};

static void
law(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t
mix_text(uint64_t h, struct row_text t)
{
	return t.p != NULL ? mix(mix(h, &t.n, sizeof(t.n)), t.p, t.n) :
	    h * 31;
}

/* All that a record has; the sanitizers see what is not there. */
static uint64_t
sum(const struct traffic_record *t)
{
	uint64_t h = mix(t->number, &t->ns, sizeof(t->ns));

	law(t->nscores <= LIMIT_LOG_SCORES, "too many scores");
	h = mix_text(h, t->caller);
	h = mix_text(h, t->endpoint);
	h = mix_text(h, t->model);
	h = mix_text(h, t->label);
	h = mix_text(h, t->output);
	for (size_t i = 0; i < t->nscores; i++) {
		h = mix(h, &t->scores[i], sizeof(double));
		if (t->classes != NULL)
			h = mix_text(h, t->classes[i]);
	}
	if (t->kind == TRAFFIC_TEXT)
		h = mix_text(h, t->text);
	if (t->kind == TRAFFIC_IMAGE) {
		law(t->width > 0 && t->height > 0 && (t->channels == 1 ||
		    t->channels == 3 || t->channels == 4), "no image");
		h = mix(h, t->pixels, (size_t)t->width * t->height *
		    t->channels);
	}
	for (size_t i = 0; t->kind == TRAFFIC_VECTOR && i < t->nvector; i++) {
		law(isfinite(t->vector[i]), "a number that is none");
		h = mix(h, &t->vector[i], sizeof(double));
	}
	return h;
}

static int
record(void *ctx, const struct logs_record *r)
{
	struct chain *c = ctx;
	struct traffic_record t;
	int rc = apilog_record_take(&c->x, r, &t, NULL);

	law(rc >= 0, "our side failed");
	if (rc == 0)
		return 0;
	rc = apilog_spool_put(c->spool, &t, NULL);
	law(rc >= 0, "the spool failed");
	if (rc == 0) {
		c->in++;
		c->sum_in += sum(&t);
	}
	return 0;
}

static int
problem(void *ctx, const struct logs_told *t)
{
	(void)ctx;
	(void)t;
	return 0;
}

static int
secret(void *ctx, const struct logs_secret *s)
{
	(void)ctx;
	(void)s;
	law(false, "secrets are not looked for");
	return 0;
}

static int
account(void *ctx, const struct logs_account *a)
{
	(void)ctx;
	(void)a;
	return 0;
}

static void
read_back(struct chain *c)
{
	struct traffic_record t;
	int64_t last = INT64_MIN;
	uint64_t out = 0, all = 0;
	int rc;

	law(apilog_spool_end(c->spool, NULL) >= 0, "the spool does not end");
	while ((rc = apilog_spool_next(c->spool, &t, NULL)) > 0) {
		law(!t.has_time || t.ns >= last, "time goes back");
		last = t.has_time ? t.ns : last;
		out++;
		all += sum(&t);
	}
	law(rc == 0 && out == c->in && all == c->sum_in,
	    "what came out is not what went in");
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const maps[] = {NULL, "time=t,input=i,shape=s",
	    "time=t,input=i,shape=4x4x3,scores=p,label=l",
	    "time=t,input=i.0,shape=2x2,caller=c,output=o"};
	static struct chain c;
	const struct logs_events ev = {record, problem, secret, account, NULL,
	    &c};
	struct logs_params lp = {.ev = &ev, .content = LOGS_BARE,
	    .pending = MIB};
	struct logs_file f = {.path = "a.log", .path_len = 5,
	    .mtime_ns = INT64_C(1785628800000000000)};
	struct bytesrc *src;
	struct logs *l;
	int fd;

	if (n == 0)
		return 0;
	lp.fields = maps[p[0] % 4];
	memset(&c, 0, sizeof(c));
	apilog_record_init(&c.x);
	fd = memfd_create("spool", 0);
	c.spool = apilog_spool_new(fd, NULL);
	src = bytesrc_mem(p + 1, n - 1, NULL);
	l = logs_new(&lp, NULL);
	law(fd >= 0 && c.spool != NULL && src != NULL && l != NULL,
	    "out of memory");
	f.src = src;
	law(logs_read(l, &f, NULL) >= 0 && logs_end(l, NULL) >= 0,
	    "our side failed");
	read_back(&c);
	logs_free(l);
	bytesrc_free(src);
	apilog_spool_free(c.spool);
	apilog_record_release(&c.x);
	(void)close(fd);
	return 0;
}
