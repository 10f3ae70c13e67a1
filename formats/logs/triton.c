#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/logs/shape.h"

/*
 * Triton's trace (--trace-config): an array of parts that belong together by
 * "id", those of several requests between each other.
 *
 *	{"id", "model_name", "model_version", "request_id"}
 *	{"id", "timestamps": [{"name", "ns"}]}
 *	{"id", "activity", "tensor": {"name", "data", "shape", "dtype"}}
 *
 * ns is CLOCK_MONOTONIC: since the machine's start, not since 1970.  So
 * records have no time; the two readings stand in the message, and their
 * difference is the latency.  Until its end a trace holds them in ts_ns and
 * end_ns.  The raw record is its first part, response_* its last.
 */
static bool
number(const struct logs_ctx *c, uint32_t i, uint64_t *ns)
{
	return jdoc_u64(c->d, i, ns) && *ns <= INT64_MAX;
}

static void
timestamps(struct logs_ctx *c, uint32_t list)
{
	uint64_t ns;

	for (uint32_t k = jdoc_at(c->d, list, 0); k != JDOC_NONE;
	    k = c->d->v[k].next) {
		const uint32_t name = jdoc_get(c->d, k, "name");

		if (!number(c, jdoc_get(c->d, k, "ns"), &ns))
			continue;
		if (jdoc_equal(c->d, name, "REQUEST_START"))
			fields_i64(&c->v[LOGS_TS], (int64_t)ns);
		else if (jdoc_equal(c->d, name, "REQUEST_END"))
			fields_i64(&c->v[LOGS_END], (int64_t)ns);
	}
}

static void
place(struct logs_ctx *c, const struct logs_content_part *x,
    enum logs_column off, enum logs_column len)
{
	if (!x->placed)
		return;
	fields_u64(&c->v[off], x->off);
	fields_u64(&c->v[len], x->len);
}

static void
tensor(struct logs_ctx *c, uint32_t activity, uint32_t t)
{
	const uint32_t data = jdoc_get(c->d, t, "data");
	struct logs_content_part x;

	if (data == JDOC_NONE)
		return;
	x = payload_part(c, c->d, data, NULL);
	if (jdoc_equal(c->d, activity, "TENSOR_QUEUE_INPUT") &&
	    !c->v[LOGS_INPUT].set) {
		fields_text(&c->v[LOGS_INPUT], x.p, x.n);
		place(c, &x, LOGS_IN_OFF, LOGS_IN_LEN);
		row_node(c, LOGS_DIMS, jdoc_get(c->d, t, "shape"));
	} else if (jdoc_equal(c->d, activity, "TENSOR_BACKEND_OUTPUT") &&
	    !c->v[LOGS_OUTPUT].set) {
		fields_text(&c->v[LOGS_OUTPUT], x.p, x.n);
		place(c, &x, LOGS_OUT_OFF, LOGS_OUT_LEN);
		answer_csv(c, x.p, x.n);
	}
}

int
triton_trace_json(struct logs_ctx *c)
{
	const uint32_t id = jdoc_get(c->d, c->obj, "id");
	const uint32_t name = jdoc_get(c->d, c->obj, "model_name");
	const uint32_t times = jdoc_get(c->d, c->obj, "timestamps");
	const uint32_t activity = jdoc_get(c->d, c->obj, "activity");
	const uint8_t *key;
	size_t n;
	int r;

	if (!jdoc_is(c->d, id, JDOC_NUMBER) || (times == JDOC_NONE &&
	    jdoc_get(c->d, c->obj, "tensor") == JDOC_NONE &&
	    (name == JDOC_NONE ||
	    jdoc_get(c->d, c->obj, "model_version") == JDOC_NONE)))
		return 0;
	jdoc_raw(c->d, id, &key, &n);
	row_begin(c, SHAPE_triton_trace);
	if (n > 32)
		return 0;
	if (!pairs_held(c, key, n))
		row_begin(c, SHAPE_triton_trace);
	emit_raw(c);
	fields_u64(&c->v[LOGS_SECRETS], c->v[LOGS_SECRETS].u + c->secrets);
	if (c->raw_off != c->v[LOGS_RAW_OFF].u) {
		fields_u64(&c->v[LOGS_R_LINE], c->raw_no);
		fields_u64(&c->v[LOGS_R_OFF], c->raw_off);
		fields_u64(&c->v[LOGS_R_LEN], c->raw_n);
	}
	row_node(c, LOGS_MODEL, name);
	row_get(c, LOGS_VERSION, "model_version");
	row_get(c, LOGS_REQ_ID, "request_id");
	row_get(c, LOGS_SESSION, "parent_id");
	timestamps(c, times);
	tensor(c, activity, jdoc_get(c->d, c->obj, "tensor"));
	if (!c->v[LOGS_REQ_ID].set)
		row_node(c, LOGS_REQ_ID, id);
	r = pairs_hold(c, key, n);
	return r < 0 ? r : 1;
}

static struct logs_content_part
content(const struct logs_ctx *c, enum logs_column col, enum logs_column off,
    enum logs_column len)
{
	return (struct logs_content_part){.p = c->v[col].set ? c->v[col].p :
	    NULL, .n = c->v[col].n, .type = "csv", .placed = c->v[off].set,
	    .off = c->v[off].u, .len = c->v[len].u};
}

int
triton_finish(struct logs_ctx *c)
{
	const struct field a = c->v[LOGS_TS], b = c->v[LOGS_END];
	const uint64_t secrets = c->v[LOGS_SECRETS].u;
	char *text = arena_alloc(c->scratch, 80);
	const uint8_t *raw = c->raw;
	int r;

	c->shape = SHAPE_triton_trace;
	c->in = content(c, LOGS_INPUT, LOGS_IN_OFF, LOGS_IN_LEN);
	c->out = content(c, LOGS_OUTPUT, LOGS_OUT_OFF, LOGS_OUT_LEN);
	row_str(c, LOGS_KIND, b.set ? "pair" : "request");
	row_str(c, LOGS_TS_QUALITY, "file-order");
	if (a.set && b.set && b.u >= a.u)
		row_latency_us(c, (double)(b.u - a.u) / 1e3, "difference");
	if (text != NULL && a.set) {
		(void)snprintf(text, 80, "CLOCK_MONOTONIC %llu to %llu",
		    (unsigned long long)a.u, (unsigned long long)b.u);
		row_str(c, LOGS_MESSAGE, text);
		row_str(c, LOGS_TS_SRC, "CLOCK_MONOTONIC");
	}
	c->v[LOGS_TS].set = c->v[LOGS_END].set = false;
	tell_once(c, LOGS_PROBLEM_CLOCK_MONOTONIC, NULL);
	/* Its parts' secrets are told already. */
	c->raw = NULL;
	r = emit_row_with(c, secrets);
	c->raw = raw;
	return r;
}
