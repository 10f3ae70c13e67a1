#include <string.h>

#include "base/arena.h"
#include "formats/logs/shape.h"

/*
 * KServe's logger (pkg/logger): CloudEvents as JSON, and blobs of its store.
 *
 * Only answers with status 200 are logged, and a full queue drops without a
 * word: a request without a response is an error, or what was dropped.  The
 * caller is known only by headers that metadataHeaders names.
 */
#define REQUEST "org.kubeflow.serving.inference.request"
#define RESPONSE "org.kubeflow.serving.inference.response"

/* Of a type of event: 1 request, 2 response, 0 neither. */
static unsigned
half_of(const struct jdoc *d, uint32_t i)
{
	if (jdoc_equal(d, i, REQUEST))
		return 1;
	return jdoc_equal(d, i, RESPONSE) ? 2 : 0;
}

/* Headers: an object of lists, or the same as a JSON string. */
static void
metadata(struct logs_ctx *c, uint32_t i)
{
	struct jdoc *d = c->d;
	const uint8_t *p;
	struct logs_content_part x;
	size_t n, used;
	uint32_t k;

	if (jdoc_text(c->d, i, c->scratch, &p, &n)) {
		if (n == 0 || jdoc_parse(c->inner, p, n, &used) < 0)
			return;
		d = c->inner;
		i = 0;
	}
	if (!jdoc_is(d, i, JDOC_OBJECT) || d->v[i].count == 0)
		return;
	for (k = i + 1; k != JDOC_NONE; k = d->v[k].next) {
		static const struct {
			const char *name;
			enum logs_column col;
		} known[] = {{"x-forwarded-for", LOGS_FORWARDED},
		    {"user-agent", LOGS_UA}, {"x-user-id", LOGS_CALLER_ID},
		    {"x-request-id", LOGS_SESSION}};
		const char *key = arena_dup(c->scratch, d->p +
		    d->v[k].key_off, d->v[k].key_len);

		if (key == NULL)
			return;
		for (size_t q = 0; q < sizeof(known) / sizeof(known[0]); q++)
			if (strcasecmp(key, known[q].name) == 0) {
				x = payload_part(c, d, jdoc_is(d, k,
				    JDOC_ARRAY) ? jdoc_at(d, k, 0) : k, NULL);
				row_text(c, known[q].col, x.p, x.n);
			}
	}
}

static void
service(struct logs_ctx *c, const char *name, unsigned half)
{
	row_str(c, LOGS_KIND, half == 2 ? "response" : "request");
	row_get(c, LOGS_REQ_ID, "id");
	if (!row_get(c, LOGS_ENDPOINT, "endpoint"))
		row_get(c, LOGS_ENDPOINT, name);
	row_get(c, LOGS_MODEL, name);
	row_get(c, LOGS_DEPLOYMENT, "namespace");
	row_get(c, LOGS_OP, "component");
	metadata(c, jdoc_get(c->d, c->obj, "metadata"));
	/* A transformer hands the id on to its predictor. */
	if (c->v[LOGS_OP].set)
		cursor_init(&c->scope, c->v[LOGS_OP].p, c->v[LOGS_OP].n, 0);
}

int
kserve_event_json(struct logs_ctx *c)
{
	const unsigned half = half_of(c->d, jdoc_get(c->d, c->obj, "type"));
	uint32_t data;

	if (half == 0 || jdoc_get(c->d, c->obj, "specversion") == JDOC_NONE)
		return 0;
	row_begin(c, SHAPE_kserve_event);
	service(c, "inferenceservicename", half);
	if (!row_time(c, "time"))
		row_time(c, "recordedtime");
	data = jdoc_get(c->d, c->obj, "data");
	if (data == JDOC_NONE)
		(void)payload_base64(c, half == 2, jdoc_get(c->d, c->obj,
		    "data_base64"), NULL, 0);
	else if (half == 2)
		payload_response(c, c->d, data);
	else
		payload_request(c, c->d, data);
	return emit_row(c);
}

int
kserve_blob_json(struct logs_ctx *c)
{
	const unsigned half = half_of(c->d,
	    jdoc_get(c->d, c->obj, "reqType"));
	const uint8_t *type = NULL;
	size_t n = 0;

	if (half == 0)
		return 0;
	row_begin(c, SHAPE_kserve_blob);
	service(c, "inferenceService", half);
	if (!row_time(c, "occurrenceTime"))
		row_mtime(c);
	(void)jdoc_text(c->d, jdoc_get(c->d, c->obj, "contentType"),
	    c->scratch, &type, &n);
	(void)payload_base64(c, half == 2, jdoc_get(c->d, c->obj, "bytes"),
	    (const char *)type, n);
	return emit_row(c);
}
