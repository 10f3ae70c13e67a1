#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/logs/fieldmap.h"
#include "formats/logs/shape.h"

/*
 * JSON objects of no known shape.
 */
static const struct {
	const char *word;
	enum logs_column col;
	const char *names;	/* between bars */
} rows[] = {
#define FIELD(word, column, names) {word, LOGS_##column, names},
#include "formats/logs/fieldmap.def"
#undef FIELD
};

static int
unknown(const char *p, size_t n, struct err *e)
{
	char shown[64];

	return err_set(e, ERR_ARG, "'%s' is no field that can be mapped",
	    text_z(shown, sizeof(shown), p, n));
}

/* "32x32x3": a shape that is said, and no way to one. */
static bool
is_shape(const char *said)
{
	size_t n = strspn(said, "0123456789x");

	return said[n] == '\0' && n > 2 && said[0] != 'x' &&
	    said[n - 1] != 'x' && strchr(said, 'x') != NULL &&
	    strstr(said, "xx") == NULL;
}

/* "ts_ns|ts|trace.id" as a list. */
static const struct fieldmap_name *
list_names(const char *names, struct arena *a)
{
	struct fieldmap_name *v;
	const char *p, *end, *dot;
	size_t n = 2;

	for (p = names; *p != '\0'; p++)
		n += *p == '|';
	if ((v = arena_array(a, n, sizeof(*v))) == NULL)
		return NULL;
	n = 0;
	for (p = names; *p != '\0'; p = *end == '|' ? end + 1 : end) {
		end = strchrnul(p, '|');
		if (end - p >= 64)
			continue;
		dot = memchr(p, '.', (size_t)(end - p));
		v[n++] = (struct fieldmap_name){p, (uint8_t)(end - p),
		    dot == NULL ? 0 : memchr(dot + 1, '.',
		    (size_t)(end - dot) - 1) != NULL ? UINT8_MAX :
		    (uint8_t)(dot - p)};
	}
	return v;
}

int
fieldmap_parse(const char *text, struct arena *a, struct fieldmap *ret,
    struct err *e)
{
	const char *p = text != NULL ? text : "", *eq, *end;
	struct fieldmap m = {0};
	size_t i, n;

	while (*p != '\0') {
		end = strchrnul(p, ',');
		eq = memchr(p, '=', (size_t)(end - p));
		if (eq == NULL)
			return unknown(p, (size_t)(end - p), e);
		n = (size_t)(eq - p);
		for (i = 0; i < FIELDMAP_ROWS; i++)
			if (strlen(rows[i].word) == n &&
			    memcmp(rows[i].word, p, n) == 0)
				break;
		if (i == FIELDMAP_ROWS)
			return unknown(p, n, e);
		m.path[i] = arena_dup(a, eq + 1, (size_t)(end - eq) - 1);
		if (m.path[i] == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		m.given++;
		p = *end == ',' ? end + 1 : end;
	}
	for (i = 0; i < FIELDMAP_ROWS; i++)
		if ((m.names[i] = list_names(rows[i].names, a)) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
	if (m.path[FIELDMAP_DIMS] != NULL && is_shape(m.path[FIELDMAP_DIMS]))
		m.shape = m.path[FIELDMAP_DIMS];
	*ret = m;
	return 0;
}

/* The first of the names that is there and is not null. */
static uint32_t
by_names(struct logs_ctx *c, const struct fieldmap_name *v, char path[64])
{
	uint32_t i;

	for (; v->p != NULL; v++) {
		i = jdoc_get_n(c->d, c->obj, v->p, v->n);
		if (i == JDOC_NONE && (v->first == 0 ||
		    (v->first != UINT8_MAX && jdoc_get_n(c->d, c->obj, v->p,
		    v->first) == JDOC_NONE)))
			continue;
		memcpy(path, v->p, v->n);
		path[v->n] = '\0';
		if (i == JDOC_NONE)
			i = jdoc_path(c->d, c->obj, path);
		if (i != JDOC_NONE && c->d->v[i].type != JDOC_NULL)
			return i;
	}
	return JDOC_NONE;
}

static uint32_t
find(struct logs_ctx *c, enum fieldmap_row row, char path[64])
{
	const char *said = c->map->path[row];

	if (said == NULL)
		return by_names(c, c->map->names[row], path);
	if (*said == '\0')
		return JDOC_NONE;
	path[0] = '\0';
	return jdoc_path(c->d, c->obj, said);
}

static void
time_field(struct logs_ctx *c, enum logs_column col, uint32_t i,
    const char *path)
{
	const uint8_t *p;
	struct when w;
	char *src;
	size_t n;

	if (!jdoc_scalar(c->d, i, c->scratch, &p, &n))
		return;
	if (!when_all(p, n, &w)) {
		tell(c, LOGS_PROBLEM_BAD_TIME, c->raw_off, c->raw_n, NULL);
		return;
	}
	if (col == LOGS_END) {
		row_end(c, &w);
		return;
	}
	src = arena_dup(c->scratch, path, strlen(path));
	row_when(c, &w, src != NULL ? src : "time", "event");
}

static void
content_field(struct logs_ctx *c, bool response, uint32_t i)
{
	struct logs_content_part at;

	if (jdoc_is(c->d, i, JDOC_STRING)) {
		at = payload_part(c, c->d, i, NULL);
		payload_bytes(c, response, at.p, at.n, NULL, 0, &at);
		if (!response && c->map->path[FIELDMAP_DIMS] != NULL &&
		    c->in.type != NULL && strcmp(c->in.type, "text") == 0)
			c->in.type = "base64";
	} else if (response) {
		payload_response(c, c->d, i);
	} else {
		payload_request(c, c->d, i);
	}
}

static void
list_text(struct logs_ctx *c, uint32_t i)
{
	const uint8_t *p;
	size_t n;

	if (!jdoc_is(c->d, i, JDOC_ARRAY)) {
		row_node(c, LOGS_DIMS, i);
		return;
	}
	jdoc_raw(c->d, i, &p, &n);
	if (n > 2)
		row_text(c, LOGS_DIMS, p + 1, n - 2);
}

/* A digest of the input that the log has itself: SHA-256 as 64 digits. */
static void
digest_field(struct logs_ctx *c, enum logs_column col, uint32_t i)
{
	uint8_t *sum = arena_alloc(c->scratch, 32);
	const uint8_t *p;
	size_t n;

	if (sum == NULL || !jdoc_is(c->d, i, JDOC_STRING))
		return;
	jdoc_raw(c->d, i, &p, &n);
	if (n == 71 && memcmp(p, "sha256:", 7) == 0) {
		p += 7;
		n -= 7;
	}
	if (n == 64 && text_unhex(sum, (const char *)p, n))
		fields_hex(&c->v[col], sum, 32);
}

static void
scores_field(struct logs_ctx *c, uint32_t i)
{
	double d;

	if (jdoc_real(c->d, i, &d)) {
		c->scores[0] = d;
		fields_reals(&c->v[LOGS_SCORES], c->scores, 1);
		return;
	}
	if (!answer_named(c, c->d, i))
		answer_scores(c, c->d, i);
}

static void
one(struct logs_ctx *c, enum fieldmap_row row, uint32_t i, const char *path)
{
	const enum logs_column col = rows[row].col;
	uint64_t u;

	if (col == LOGS_TS || col == LOGS_END)
		time_field(c, col, i, path);
	else if (col == LOGS_INPUT || col == LOGS_OUTPUT)
		content_field(c, col == LOGS_OUTPUT, i);
	else if (col == LOGS_SCORES)
		scores_field(c, i);
	else if (col == LOGS_DIMS)
		list_text(c, i);
	else if (logs_columns[col].type == FIELD_HEX)
		digest_field(c, col, i);
	else if (logs_columns[col].type != FIELD_U64)
		row_node(c, col, i);
	else if (jdoc_u64(c->d, i, &u))
		fields_u64(&c->v[col], u);
}

static void
latency(struct logs_ctx *c)
{
	static const struct {
		const char *name;
		double us;
	} names[] = {{"latency_us", 1}, {"latency_ms", 1e3},
	    {"duration_ms", 1e3}, {"elapsed_ms", 1e3}, {"latencyMs", 1e3},
	    {"response_time_ms", 1e3}, {"request_duration_ms", 1e3},
	    {"latency_s", 1e6}, {"latency_seconds", 1e6},
	    {"duration_seconds", 1e6}, {"duration_ns", 1e-3},
	    {"request_time", 1e6}, {"response_time", 1e6}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (row_latency(c, names[i].name, names[i].us))
			return;
}

static void
kind(struct logs_ctx *c)
{
	const bool in = c->in.p != NULL || c->v[LOGS_INPUT_SHA256].set ||
	    c->v[LOGS_IN_BYTES].set || c->v[LOGS_IN_TOKENS].set;
	const bool out = c->out.p != NULL ||
	    c->v[LOGS_LABEL].set || c->v[LOGS_SCORES].set;
	const bool status = c->v[LOGS_STATUS].set, path = c->v[LOGS_PATH].set;

	if ((in && (out || status)) || (path && status))
		row_str(c, LOGS_KIND, "pair");
	else if (in || path)
		row_str(c, LOGS_KIND, "request");
	else if (out)
		row_str(c, LOGS_KIND, "response");
	else
		row_str(c, LOGS_KIND, "event");
}

int
generic_json(struct logs_ctx *c)
{
	char path[64];
	uint32_t i;

	row_begin(c, SHAPE_generic);
	for (unsigned row = 0; row < FIELDMAP_ROWS; row++)
		if ((i = find(c, (enum fieldmap_row)row, path)) != JDOC_NONE)
			one(c, (enum fieldmap_row)row, i,
			    c->map->path[row] != NULL ? c->map->path[row] :
			    path);
	latency(c);
	if (c->in.p != NULL && c->map->shape != NULL)
		row_str(c, LOGS_DIMS, c->map->shape);
	if (!c->v[LOGS_TS].set && c->in.p == NULL &&
	    !c->v[LOGS_CALLER].set && !c->v[LOGS_CALLER_IP].set &&
	    c->out.p == NULL)
		return 0;
	if (!c->v[LOGS_TS].set)
		row_untimed(c);
	kind(c);
	return emit_row(c);
}
