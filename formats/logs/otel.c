#include <string.h>

#include "base/arena.h"
#include "formats/logs/shape.h"

/*
 * OpenTelemetry spans of generative AI as OTLP JSON: one span, or an export
 * with resourceSpans[].scopeSpans[].spans[].  Contents are opt-in.  Attributes
 * are a list of {"key", "value": {"stringValue" | "intValue" | ...}}.
 */
static uint32_t
attribute(struct logs_ctx *c, const char *name)
{
	const uint32_t list = jdoc_get(c->d, c->obj, "attributes");
	uint32_t k, v;

	if (jdoc_is(c->d, list, JDOC_OBJECT))
		return jdoc_get(c->d, list, name);
	if (!jdoc_is(c->d, list, JDOC_ARRAY) || c->d->v[list].count == 0)
		return JDOC_NONE;
	for (k = list + 1; k != JDOC_NONE; k = c->d->v[k].next) {
		if (!jdoc_equal(c->d, jdoc_get(c->d, k, "key"), name))
			continue;
		v = jdoc_get(c->d, k, "value");
		/* The one member of the value, whatever its type's name. */
		return jdoc_is(c->d, v, JDOC_OBJECT) &&
		    c->d->v[v].count > 0 ? v + 1 : v;
	}
	return JDOC_NONE;
}

static bool
set(struct logs_ctx *c, enum logs_column col, const char *name)
{
	const uint32_t i = attribute(c, name);
	uint64_t u;

	if (logs_columns[col].type != FIELD_U64)
		return row_node(c, col, i);
	if (!jdoc_u64(c->d, i, &u))
		return false;
	fields_u64(&c->v[col], u);
	return true;
}

/* Messages: JSON in a string, or as it is. */
static void
messages(struct logs_ctx *c, bool response, const char *name)
{
	struct logs_content_part *x = response ? &c->out : &c->in;
	const uint32_t i = attribute(c, name);
	struct logs_content_part at;
	size_t used;

	if (i == JDOC_NONE || x->p != NULL)
		return;
	at = payload_part(c, c->d, i, "text");
	if (!jdoc_is(c->d, i, JDOC_STRING) ||
	    jdoc_parse(c->inner, at.p, at.n, &used) < 0 ||
	    (!payload_messages(c, c->inner, 0, x) &&
	    !payload_messages(c, c->inner, jdoc_get(c->inner, 0, "messages"),
	    x))) {
		*x = at;
		return;
	}
	x->placed = at.placed;
	x->off = at.off;
	x->len = at.len;
}

static void
identifiers(struct logs_ctx *c)
{
	if (!set(c, LOGS_REQ_ID, "gen_ai.response.id"))
		row_get(c, LOGS_REQ_ID, "spanId");
	row_get(c, LOGS_SESSION, "traceId");
	set(c, LOGS_CALLER_IP, "client.address");
	if (!set(c, LOGS_CALLER_ID, "user.id"))
		set(c, LOGS_CALLER_ID, "enduser.id");
	set(c, LOGS_UA, "user_agent.original");
	if (!set(c, LOGS_MODEL, "gen_ai.response.model"))
		set(c, LOGS_MODEL, "gen_ai.request.model");
	if (!set(c, LOGS_DEPLOYMENT, "gen_ai.provider.name"))
		set(c, LOGS_DEPLOYMENT, "gen_ai.system");
	set(c, LOGS_ENDPOINT, "server.address");
	if (!set(c, LOGS_OP, "gen_ai.operation.name"))
		row_get(c, LOGS_OP, "name");
	set(c, LOGS_PATH, "url.path");
	set(c, LOGS_ERROR, "error.type");
	row_get(c, LOGS_STATUS, "status.code");
}

static int
span(struct logs_ctx *c)
{
	row_begin(c, SHAPE_otel_span);
	row_ns(c, LOGS_TS, "startTimeUnixNano");
	row_ns(c, LOGS_END, "endTimeUnixNano");
	if (c->v[LOGS_TS].set && c->v[LOGS_END].set)
		row_latency_us(c, ((double)(int64_t)(c->v[LOGS_END].u -
		    c->v[LOGS_TS].u)) / 1e3, "difference");
	identifiers(c);
	if (!set(c, LOGS_IN_TOKENS, "gen_ai.usage.input_tokens"))
		set(c, LOGS_IN_TOKENS, "gen_ai.usage.prompt_tokens");
	if (!set(c, LOGS_OUT_TOKENS, "gen_ai.usage.output_tokens"))
		set(c, LOGS_OUT_TOKENS, "gen_ai.usage.completion_tokens");
	messages(c, false, "gen_ai.input.messages");
	messages(c, false, "gen_ai.prompt");
	messages(c, true, "gen_ai.output.messages");
	messages(c, true, "gen_ai.completion");
	return emit_row(c);
}

int
otel_span_json(struct logs_ctx *c)
{
	if (jdoc_get(c->d, c->obj, "startTimeUnixNano") == JDOC_NONE ||
	    jdoc_get(c->d, c->obj, "spanId") == JDOC_NONE)
		return 0;
	return span(c);
}

static int
spans(struct logs_ctx *c, uint32_t list)
{
	int r = 1;

	if (!jdoc_is(c->d, list, JDOC_ARRAY) || c->d->v[list].count == 0)
		return 1;
	for (uint32_t k = list + 1; k != JDOC_NONE && r >= 0;
	    k = c->d->v[k].next) {
		if (!jdoc_is(c->d, k, JDOC_OBJECT))
			continue;
		r = framing_part(c, k, span);
	}
	return r;
}

int
otlp_json(struct logs_ctx *c)
{
	const uint32_t all = jdoc_get(c->d, c->obj, "resourceSpans");
	uint32_t scopes;
	int r = 1;

	if (!jdoc_is(c->d, all, JDOC_ARRAY))
		return 0;
	for (uint32_t i = jdoc_at(c->d, all, 0); i != JDOC_NONE;
	    i = c->d->v[i].next) {
		scopes = jdoc_get(c->d, i, "scopeSpans");
		if (scopes == JDOC_NONE)
			scopes = jdoc_get(c->d, i,
			    "instrumentationLibrarySpans");
		for (uint32_t k = jdoc_at(c->d, scopes, 0); k != JDOC_NONE;
		    k = c->d->v[k].next)
			if ((r = spans(c, jdoc_get(c->d, k, "spans"))) < 0)
				return r;
	}
	return r;
}
