#include <string.h>

#include "formats/logs/shape.h"

/*
 * Seldon Core: v1's request logger as Elasticsearch keeps it, and a dump of
 * v2's Kafka topics (<prefix>.<namespace>.(model|pipeline).<name>.(inputs|
 * outputs), seldon.<namespace>.errors.errors).  v1 drops bodies over
 * MAX_PAYLOAD_BYTES; v2 deletes topics with their model if told to.
 */
static const char *const payloads[] = {"payload", "elements", "instance"};

int
seldon1_json(struct logs_ctx *c)
{
	const uint32_t outer = c->obj, source = jdoc_get(c->d, outer,
	    "_source");
	const uint32_t doc = source != JDOC_NONE ? source : outer;
	uint32_t req, res, k;

	req = jdoc_get(c->d, doc, "request");
	res = jdoc_get(c->d, doc, "response");
	if (jdoc_get(c->d, req, "ce-time") == JDOC_NONE &&
	    jdoc_get(c->d, res, "ce-time") == JDOC_NONE)
		return 0;
	row_begin(c, SHAPE_seldon1);
	row_str(c, LOGS_KIND, req == JDOC_NONE ? "response" :
	    res == JDOC_NONE ? "request" : "pair");
	c->obj = doc;
	if (!row_get(c, LOGS_REQ_ID, "RequestId"))
		row_node(c, LOGS_REQ_ID, jdoc_get(c->d, outer, "_id"));
	row_get(c, LOGS_MODEL, "Ce-Inferenceservicename");
	row_get(c, LOGS_ENDPOINT, "Ce-Endpoint");
	row_get(c, LOGS_DEPLOYMENT, "Ce-Namespace");
	row_get(c, LOGS_OP, "ServingEngine");
	if (!row_time(c, "request.ce-time"))
		row_time(c, "response.ce-time");
	row_end_time(c, "response.ce-time");
	if (c->v[LOGS_END].set && c->v[LOGS_TS].set)
		row_latency_us(c, ((double)(int64_t)(c->v[LOGS_END].u -
		    c->v[LOGS_TS].u)) / 1e3, "difference");
	for (size_t i = 0; i < 3 && c->in.p == NULL; i++)
		if ((k = jdoc_get(c->d, req, payloads[i])) != JDOC_NONE)
			payload_request(c, c->d, k);
	for (size_t i = 0; i < 3 && c->out.p == NULL; i++)
		if ((k = jdoc_get(c->d, res, payloads[i])) != JDOC_NONE)
			payload_response(c, c->d, k);
	c->obj = outer;
	return emit_row(c);
}

/* The parts of a topic: namespace, what, name, direction. */
static bool
topic(struct logs_ctx *c, struct cursor t, struct cursor part[5])
{
	unsigned n = 0;

	(void)c;
	while (n < 4 && cursor_line(&t, '.', &part[n]))
		n++;
	if (n < 4)
		return false;
	part[4] = textline_rest(&t);
	return textline_is(part[4], "inputs") ||
	    textline_is(part[4], "outputs") ||
	    textline_is(part[4], "errors");
}

int
seldon2_json(struct logs_ctx *c)
{
	const uint32_t i = jdoc_get(c->d, c->obj, "topic");
	const uint32_t value = jdoc_get(c->d, c->obj, "value_b64");
	struct cursor name, part[5];
	bool response;
	uint32_t plain;

	if (!jdoc_is(c->d, i, JDOC_STRING) || (value == JDOC_NONE &&
	    jdoc_get(c->d, c->obj, "value") == JDOC_NONE))
		return 0;
	cursor_init(&name, c->d->p + c->d->v[i].off, c->d->v[i].len, 0);
	if (!topic(c, name, part))
		return 0;
	response = !textline_is(part[4], "inputs");
	row_begin(c, SHAPE_seldon2);
	row_str(c, LOGS_KIND, response ? "response" : "request");
	/* Models of a pipeline share its key: the topic tells them apart. */
	cursor_init(&c->scope, name.buf, name.len - part[4].len, 0);
	row_sub(c, LOGS_DEPLOYMENT, part[1]);
	row_sub(c, LOGS_OP, part[2]);
	row_node(c, LOGS_ENDPOINT, i);
	row_get(c, LOGS_REQ_ID, "key");
	if (row_time(c, "timestamp"))
		row_str(c, LOGS_TS_QUALITY, "recorded");
	row_get(c, LOGS_ERROR, "headers.seldon-pipeline-errors");
	row_get(c, LOGS_SESSION, "headers.pipeline");
	plain = jdoc_get(c->d, c->obj, "value");
	if (value != JDOC_NONE)
		(void)payload_base64(c, response, value, NULL, 0);
	else if (response)
		payload_response(c, c->d, plain);
	else
		payload_request(c, c->d, plain);
	if (!c->v[LOGS_MODEL].set)
		row_sub(c, LOGS_MODEL, part[3]);
	return emit_row(c);
}
