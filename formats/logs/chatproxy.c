#include <string.h>

#include "base/arena.h"
#include "formats/logs/shape.h"

/*
 * A proxy before an API like OpenAI's: request and response whole, each with
 * status or headers beside its body; and bare bodies side by side.
 */
static void
key_hash(struct logs_ctx *c, uint32_t i)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *p;
	uint8_t sum[32];
	char *text;
	size_t n;

	if (!jdoc_text(c->d, i, c->scratch, &p, &n))
		return;
	if (n > 7 && (memcmp(p, "Bearer ", 7) == 0 ||
	    memcmp(p, "bearer ", 7) == 0)) {
		p += 7;
		n -= 7;
	}
	/* Stars are no key: every caller would be the same. */
	if (n < 8 || memmem(p, n, "***", 3) != NULL ||
	    c->p->ev->sha256 == NULL || c->p->ev->sha256(c->p->ev->ctx, p, n,
	    sum, c->e) < 0 || (text = arena_alloc(c->scratch, 64)) == NULL)
		return;
	for (size_t k = 0; k < 32; k++) {
		text[2 * k] = hex[sum[k] >> 4];
		text[2 * k + 1] = hex[sum[k] & 15];
	}
	row_text(c, LOGS_KEY_HASH, text, 64);
}

static void
headers(struct logs_ctx *c, uint32_t h)
{
	static const struct {
		const char *name;
		enum logs_column col;
	} known[] = {{"user-agent", LOGS_UA},
	    {"x-forwarded-for", LOGS_FORWARDED},
	    {"x-request-id", LOGS_SESSION}, {"x-user-id", LOGS_CALLER_ID}};

	if (!jdoc_is(c->d, h, JDOC_OBJECT) || c->d->v[h].count == 0)
		return;
	for (uint32_t k = h + 1; k != JDOC_NONE; k = c->d->v[k].next) {
		const struct jnode *v = &c->d->v[k];
		const char *key = arena_dup(c->scratch, c->d->p + v->key_off,
		    v->key_len);

		if (key == NULL)
			return;
		if (strcasecmp(key, "authorization") == 0 ||
		    strcasecmp(key, "x-api-key") == 0)
			key_hash(c, jdoc_is(c->d, k, JDOC_ARRAY) ?
			    jdoc_at(c->d, k, 0) : k);
		for (size_t q = 0; q < sizeof(known) / sizeof(known[0]); q++)
			if (strcasecmp(key, known[q].name) == 0)
				row_first(c, known[q].col, k);
	}
}

static uint32_t
body_of(struct logs_ctx *c, uint32_t side)
{
	const uint32_t b = jdoc_get(c->d, side, "body");

	return b != JDOC_NONE ? b : side;
}

/* Names of a request that no other log has below "request". */
static bool
asks(struct logs_ctx *c, uint32_t body)
{
	return jdoc_get(c->d, body, "messages") != JDOC_NONE ||
	    jdoc_get(c->d, body, "prompt") != JDOC_NONE ||
	    (jdoc_get(c->d, body, "input") != JDOC_NONE &&
	    jdoc_get(c->d, body, "model") != JDOC_NONE);
}

static void
times(struct logs_ctx *c)
{
	static const char *const names[] = {"ts", "time", "timestamp",
	    "@timestamp", "start_time", "created_at", "response.body.created",
	    "response.created"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (row_time(c, names[i]))
			return;
	row_untimed(c);
}

int
chatproxy_json(struct logs_ctx *c)
{
	const uint32_t req = jdoc_get(c->d, c->obj, "request");
	const uint32_t res = jdoc_get(c->d, c->obj, "response");
	const uint32_t ask = body_of(c, req), ans = body_of(c, res);
	const uint32_t outer = c->obj;

	if (!jdoc_is(c->d, req, JDOC_OBJECT) || !asks(c, ask))
		return 0;
	row_begin(c, SHAPE_chatproxy);
	row_str(c, LOGS_KIND, res == JDOC_NONE ? "request" : "pair");
	times(c);
	row_get(c, LOGS_OP, "request.method");
	row_get(c, LOGS_PATH, "request.path");
	row_get(c, LOGS_STATUS, "response.status");
	row_get(c, LOGS_ERROR, "response.body.error.message");
	if (!row_get(c, LOGS_CALLER_IP, "client_ip"))
		row_get(c, LOGS_CALLER_IP, "remote_addr");
	headers(c, jdoc_get(c->d, req, "headers"));
	if (!row_latency(c, "latency_ms", 1e3) &&
	    !row_latency(c, "duration_ms", 1e3))
		row_latency(c, "response_time", 1e6);
	c->obj = ask;
	row_get(c, LOGS_MODEL, "model");
	row_get(c, LOGS_END_USER, "user");
	payload_request(c, c->d, ask);
	c->obj = ans;
	row_get(c, LOGS_REQ_ID, "id");
	row_count(c, LOGS_IN_TOKENS, "usage.prompt_tokens");
	row_count(c, LOGS_OUT_TOKENS, "usage.completion_tokens");
	if (ans != JDOC_NONE)
		payload_response(c, c->d, ans);
	c->obj = outer;
	return emit_row(c);
}
