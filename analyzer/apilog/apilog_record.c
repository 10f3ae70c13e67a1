#include <string.h>

#include "analyzer/apilog/apilog_record.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/logs/logs.h"
#include "formats/pixels.h"

/* A record's texts as bytes, its base64 decoded, twice. */
#define ARENA_CAP (64 * MIB)
#define ARENA_FULL (4 * MIB)

void
apilog_record_init(struct apilog_record *x)
{
	memset(x, 0, sizeof(*x));
	pixels_init(&x->space);
}

void
apilog_record_release(struct apilog_record *x)
{
	arena_free(x->arena);
	buf_release(&x->space);
}

static bool
is(const struct field *f, const char *word)
{
	return f->set && f->n == strlen(word) &&
	    memcmp(f->p, word, f->n) == 0;
}

static struct row_text
text_of(const struct field *f)
{
	return f->set ? (struct row_text){f->p, f->n} :
	    (struct row_text){NULL, 0};
}

/* "200", "404 Not Found"; of words there is none. */
static void
take_status(const struct field *f, struct traffic_record *ret)
{
	const uint8_t *p = f->p;
	unsigned v = 0;
	size_t i;

	for (i = 0; f->set && i < f->n && i < 3 && p[i] >= '0' &&
	    p[i] <= '9'; i++)
		v = 10 * v + (unsigned)(p[i] - '0');
	if (i != 3 || v < 100 || (f->n > 3 && p[3] >= '0' && p[3] <= '9'))
		return;
	ret->has_status = true;
	ret->status = v;
}

static void
take_answer(struct apilog_record *x, const struct logs_record *r,
    struct traffic_record *ret)
{
	const struct field *scores = &r->v[LOGS_SCORES];

	ret->label = text_of(&r->v[LOGS_LABEL]);
	ret->output = text_of(&r->v[LOGS_OUTPUT]);
	if (ret->output.n > LIMIT_APILOG_OUTPUT)
		ret->output.n = LIMIT_APILOG_OUTPUT;
	if (scores->set && scores->n <= LIMIT_LOG_SCORES) {
		ret->scores = scores->p;
		ret->nscores = scores->n;
	}
	for (size_t i = 0; r->classes != NULL && i < ret->nscores; i++)
		x->classes[i] = (struct row_text){
		    (const char *)r->classes[i].p, r->classes[i].n};
	ret->classes = r->classes != NULL && ret->nscores > 0 ? x->classes :
	    NULL;
	if (r->v[LOGS_OUT_BYTES].set)
		ret->out_bytes = r->v[LOGS_OUT_BYTES].u;
	else if (r->v[LOGS_OUTPUT_LEN].set)
		ret->out_bytes = r->v[LOGS_OUTPUT_LEN].u;
}

static int
renew(struct apilog_record *x, struct err *e)
{
	if (x->arena != NULL && arena_used(x->arena) <= ARENA_FULL)
		return 0;
	arena_free(x->arena);
	x->vector = NULL;
	x->vector_cap = 0;
	x->arena = arena_new(ARENA_CAP);
	return x->arena != NULL ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

int
apilog_record_take(struct apilog_record *x, const struct logs_record *r,
    struct traffic_record *ret, struct err *e)
{
	const struct field *kind = &r->v[LOGS_KIND], *ts = &r->v[LOGS_TS];
	const uint64_t number = x->seen++;
	int rc;

	if (is(kind, "event")) {
		x->events++;
		return 0;
	}
	/* Of one that names its caller, who asked is known, if not what. */
	if (is(kind, "response") && !r->v[LOGS_CALLER].set) {
		x->answers++;
		return 0;
	}
	if ((rc = renew(x, e)) < 0)
		return rc;
	*ret = (struct traffic_record){.number = number,
	    .caller = text_of(&r->v[LOGS_CALLER]),
	    .endpoint = text_of(&r->v[LOGS_ENDPOINT]),
	    .model = text_of(&r->v[LOGS_MODEL])};
	/* Not before, not after: a time that says no more has no order. */
	ret->has_time = ts->set && (is(&r->v[LOGS_TS_QUALITY], "event") ||
	    is(&r->v[LOGS_TS_QUALITY], "recorded"));
	ret->ns = ret->has_time ? (int64_t)ts->u : 0;
	take_status(&r->v[LOGS_STATUS], ret);
	take_answer(x, r, ret);
	if (r->v[LOGS_IN_BYTES].set)
		ret->in_bytes = r->v[LOGS_IN_BYTES].u;
	else if (r->v[LOGS_INPUT_LEN].set)
		ret->in_bytes = r->v[LOGS_INPUT_LEN].u;
	if ((rc = apilog_input_take(x, r, ret, e)) < 0)
		return rc;
	x->kinds[ret->kind]++;
	return 1;
}
