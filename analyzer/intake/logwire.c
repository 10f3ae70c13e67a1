#include <string.h>

#include "analyzer/intake/logwire.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "custody/derive.h"
#include "formats/logs/logs.h"

const struct field_def logwire_problem[LOGWIRE_PROBLEM_COLUMNS] = {
    {"problem", FIELD_U64}, {"source", FIELD_TEXT}, {"line_no", FIELD_U64},
    {"offset", FIELD_U64}, {"length", FIELD_U64}, {"what", FIELD_TEXT}};

const struct field_def logwire_secret[LOGWIRE_SECRET_COLUMNS] = {
    {"kind", FIELD_TEXT}, {"source", FIELD_TEXT}, {"line_no", FIELD_U64},
    {"offset", FIELD_U64}, {"length", FIELD_U64}, {"column", FIELD_TEXT},
    {"sha256", FIELD_HEX}};

const struct field_def logwire_log[LOGWIRE_LOG_COLUMNS] = {
    {"source", FIELD_TEXT}, {"framing", FIELD_TEXT},
    {"decompressed", FIELD_TEXT}, {"bytes", FIELD_U64},
    {"records", FIELD_U64}, {"outside", FIELD_U64},
    {"undated", FIELD_U64}, {"secrets", FIELD_U64}, {"first", FIELD_TIME},
    {"last", FIELD_TIME}, {"problems", FIELD_REALS},
    {"shapes", FIELD_REALS}};

/* --- the parent's side: the worker may be anybody's by now ---------------- */

static int
refuse(struct err *e)
{
	return err_set(e, ERR_FORMAT, "no such frame");
}

static int
request_line(const struct frame *f, struct buf *b, struct err *e)
{
	double reals[LIMIT_LOG_SCORES];
	struct field v[LOGS_COLUMNS];
	char when[CLOCK_TEXT];
	struct json_write w;

	if (!fields_get(f, logs_columns, LOGS_COLUMNS, v, reals,
	    LIMIT_LOG_SCORES) || !v[LOGS_KIND].set || !v[LOGS_SHAPE].set)
		return refuse(e);
	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "request");
	json_kstr(&w, "time", v[LOGS_TS].set ? clock_rfc3339(when,
	    (int64_t)v[LOGS_TS].u, 9) : NULL);
	fields_json(&w, logs_columns, LOGS_COLUMNS, v);
	json_end_object(&w);
	return 0;
}

static int
problem_line(const struct frame *f, struct buf *b, struct err *e)
{
	struct field v[LOGWIRE_PROBLEM_COLUMNS];
	enum logs_problem id;
	struct json_write w;

	if (!fields_get(f, logwire_problem, LOGWIRE_PROBLEM_COLUMNS, v, NULL,
	    0) || !v[LOGWIRE_P_ID].set || v[LOGWIRE_P_ID].u >= LOGS_PROBLEMS)
		return refuse(e);
	id = (enum logs_problem)v[LOGWIRE_P_ID].u;
	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "log-problem");
	json_kstr(&w, "problem", logs_problem_id(id));
	json_kstr(&w, "meaning", logs_problem_meaning(id));
	fields_json(&w, logwire_problem + 1, LOGWIRE_PROBLEM_COLUMNS - 1,
	    v + 1);
	json_end_object(&w);
	return 0;
}

static int
secret_line(const struct frame *f, struct buf *b, struct err *e)
{
	struct field v[LOGWIRE_SECRET_COLUMNS];
	struct json_write w;

	if (!fields_get(f, logwire_secret, LOGWIRE_SECRET_COLUMNS, v, NULL,
	    0) || !v[LOGWIRE_S_KIND].set || !v[LOGWIRE_S_SHA256].set ||
	    v[LOGWIRE_S_SHA256].n != 32)
		return refuse(e);
	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "log-secret");
	fields_json(&w, logwire_secret, LOGWIRE_SECRET_COLUMNS, v);
	json_end_object(&w);
	return 0;
}

/* Counts by name, those that are none left out. */
static bool
counts(struct json_write *w, const char *key, const struct field *f,
    unsigned n, const char *(*name)(unsigned))
{
	const double *d = f->p;

	if (!f->set || f->n != n)
		return false;
	json_key(w, key);
	json_begin_object(w);
	for (unsigned i = 0; i < n; i++)
		if (d[i] >= 1 && d[i] < 9e15)
			json_ku64(w, name(i), (uint64_t)d[i]);
	json_end_object(w);
	return true;
}

static const char *
problem_name(unsigned i)
{
	return logs_problem_id((enum logs_problem)i);
}

static int
log_line(const struct frame *f, struct buf *b, struct err *e)
{
	struct field v[LOGWIRE_LOG_COLUMNS];
	double reals[LOGS_PROBLEMS + 64];
	struct json_write w;

	if (!fields_get(f, logwire_log, LOGWIRE_LOG_COLUMNS, v, reals,
	    LOGS_PROBLEMS + 64))
		return refuse(e);
	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "log");
	fields_json(&w, logwire_log, LOGWIRE_L_PROBLEMS, v);
	if (!counts(&w, "problems", &v[LOGWIRE_L_PROBLEMS], LOGS_PROBLEMS,
	    problem_name) || !counts(&w, "shapes", &v[LOGWIRE_L_SHAPES],
	    logs_shapes(), logs_shape_name))
		return refuse(e);
	json_end_object(&w);
	return 0;
}

int
logwire_line(const struct frame *f, const char **name, struct buf *b,
    struct err *e)
{
	*name = f->type == LOGWIRE_REQUEST ? DERIVE_REQUESTS : DERIVE_NOTES;
	switch (f->type) {
	case LOGWIRE_REQUEST:
		return request_line(f, b, e);
	case LOGWIRE_PROBLEM:
		return problem_line(f, b, e);
	case LOGWIRE_SECRET:
		return secret_line(f, b, e);
	case LOGWIRE_LOG:
		return log_line(f, b, e);
	case LOGWIRE_CUT:
		buf_puts(b, "{\"type\":\"note\",\"kind\":\"logs\","
		    "\"what\":\"more members than are looked at together\"}");
		return 0;
	default:
		return refuse(e);
	}
}
