#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/base64.h"
#include "formats/logs/shape.h"

/*
 * What was asked, in the bodies that inference protocols have:
 *
 *	{"messages": [{"role", "content"}]}	OpenAI, Anthropic, Converse
 *	{"prompt": text or list}, {"input": ...}, {"inputs": text}
 *	{"instances": [...]}			V1 protocol, TF Serving, Vertex
 *	{"inputs": [{"name", "datatype", "shape", "data"}]}	V2 protocol
 *	{"data": {"names", "ndarray"}}		Seldon v1
 *	anything else as it stands
 */
struct build {
	uint8_t *p;
	size_t n, cap;
};

static void
add(struct build *b, const void *p, size_t n)
{
	if (n > b->cap - b->n)
		n = b->cap - b->n;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

struct logs_content_part
payload_part(const struct logs_ctx *c, const struct jdoc *d, uint32_t i,
    const char *type)
{
	struct logs_content_part x = {.type = type};

	if (!jdoc_scalar(d, i, c->scratch, &x.p, &x.n))
		jdoc_raw(d, i, &x.p, &x.n);
	if (d == c->d && c->placed) {
		x.placed = true;
		x.off = c->base + d->v[i].off;
		x.len = d->v[i].len;
	}
	return x;
}

/* One part of a message: its text, or what kind of thing it is. */
static void
add_part(struct logs_ctx *c, struct jdoc *d, uint32_t i, struct build *b)
{
	static const char *const names[] = {"text", "content", "thinking",
	    "input_text", "output_text"};
	const uint8_t *p;
	size_t n;

	if (jdoc_text(d, i, c->scratch, &p, &n)) {
		add(b, p, n);
		return;
	}
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		if (jdoc_text(d, jdoc_get(d, i, names[k]), c->scratch, &p,
		    &n)) {
			add(b, p, n);
			return;
		}
	if (!jdoc_is(d, i, JDOC_OBJECT))
		return;
	/* An image, a tool's call: as it stands. */
	jdoc_raw(d, i, &p, &n);
	add(b, p, n);
}

static void
add_content(struct logs_ctx *c, struct jdoc *d, uint32_t i, struct build *b)
{
	uint32_t k;

	if (!jdoc_is(d, i, JDOC_ARRAY)) {
		add_part(c, d, i, b);
		return;
	}
	k = d->v[i].count > 0 ? i + 1 : JDOC_NONE;
	for (bool first = true; k != JDOC_NONE; k = d->v[k].next) {
		if (!first)
			add(b, "\n", 1);
		first = false;
		add_part(c, d, k, b);
	}
}

static void
add_message(struct logs_ctx *c, struct jdoc *d, uint32_t i, struct build *b)
{
	static const char *const names[] = {"content", "parts", "tool_calls"};
	const uint8_t *p;
	uint32_t k;
	size_t n;

	if (b->n > 0)
		add(b, "\n", 1);
	if (jdoc_text(d, jdoc_get(d, i, "role"), c->scratch, &p, &n)) {
		add(b, p, n);
		add(b, ": ", 2);
	}
	for (size_t q = 0; q < sizeof(names) / sizeof(names[0]); q++) {
		k = jdoc_get(d, i, names[q]);
		if (k != JDOC_NONE && d->v[k].type != JDOC_NULL) {
			add_content(c, d, k, b);
			return;
		}
	}
}

bool
payload_messages(struct logs_ctx *c, struct jdoc *d, uint32_t i,
    struct logs_content_part *ret)
{
	struct build b = {0};
	uint32_t k;

	if (!jdoc_is(d, i, JDOC_ARRAY) || d->v[i].count == 0 ||
	    !jdoc_is(d, i + 1, JDOC_OBJECT) ||
	    jdoc_get(d, i + 1, "role") == JDOC_NONE)
		return false;
	/* Each message is longer as JSON than as a line. */
	b.cap = 2 * (size_t)d->v[i].len + 64;
	if ((b.p = arena_alloc(c->scratch, b.cap)) == NULL)
		return false;
	for (k = i + 1; k != JDOC_NONE; k = d->v[k].next)
		add_message(c, d, k, &b);
	*ret = payload_part(c, d, i, "messages");
	ret->p = b.p;
	ret->n = b.n;
	return true;
}

void
payload_dims(struct logs_ctx *c, struct jdoc *d, uint32_t i)
{
	struct build b = {.cap = 128};
	char num[16];

	if ((b.p = arena_alloc(c->scratch, b.cap)) == NULL)
		return;
	for (unsigned deep = 0; deep < 8 && jdoc_is(d, i, JDOC_ARRAY);
	    deep++) {
		const int n = snprintf(num, sizeof(num), "%s%u",
		    deep > 0 ? "," : "", d->v[i].count);

		add(&b, num, (size_t)n);
		i = jdoc_at(d, i, 0);
	}
	if (!c->v[LOGS_DIMS].set)
		row_text(c, LOGS_DIMS, b.p, b.n);
}

/* A shape as the request writes it: [1,4] becomes 1,4. */
static void
stated_dims(struct logs_ctx *c, struct jdoc *d, uint32_t i)
{
	struct build b = {0};
	const uint8_t *p;
	uint32_t k;
	size_t n;

	if (!jdoc_is(d, i, JDOC_ARRAY) || d->v[i].count == 0)
		return;
	b.cap = d->v[i].len;
	if ((b.p = arena_alloc(c->scratch, b.cap)) == NULL)
		return;
	for (k = i + 1; k != JDOC_NONE; k = d->v[k].next) {
		if (b.n > 0)
			add(&b, ",", 1);
		if (jdoc_scalar(d, k, c->scratch, &p, &n))
			add(&b, p, n);
	}
	row_text(c, LOGS_DIMS, b.p, b.n);
}

/* V2: tensors with names; the data of the first stand for the request. */
static bool
tensors(struct logs_ctx *c, struct jdoc *d, uint32_t list)
{
	const uint32_t first = jdoc_at(d, list, 0);
	uint32_t data;

	if (jdoc_get(d, first, "datatype") == JDOC_NONE)
		return false;
	stated_dims(c, d, jdoc_get(d, first, "shape"));
	data = jdoc_get(d, first, "data");
	c->in = payload_part(c, d, d->v[list].count == 1 &&
	    data != JDOC_NONE ? data : list, "json");
	return true;
}

static bool
by_name(struct logs_ctx *c, struct jdoc *d, uint32_t i)
{
	static const char *const texts[] = {"prompt", "inputs", "input",
	    "text", "inputText", "query", "question"};
	static const char *const numbers[] = {"instances", "inputs",
	    "dataframe_split", "dataframe_records", "data", "input_data"};
	uint32_t k;

	for (size_t q = 0; q < sizeof(texts) / sizeof(texts[0]); q++)
		if (jdoc_is(d, k = jdoc_get(d, i, texts[q]), JDOC_STRING)) {
			c->in = payload_part(c, d, k, "text");
			return true;
		}
	if (tensors(c, d, jdoc_get(d, i, "inputs")))
		return true;
	if ((k = jdoc_path(d, i, "data.ndarray")) != JDOC_NONE ||
	    (k = jdoc_path(d, i, "data.tensor.values")) != JDOC_NONE) {
		c->in = payload_part(c, d, k, "json");
		payload_dims(c, d, k);
		return true;
	}
	for (size_t q = 0; q < sizeof(numbers) / sizeof(numbers[0]); q++)
		if ((k = jdoc_get(d, i, numbers[q])) != JDOC_NONE &&
		    d->v[k].type >= JDOC_ARRAY) {
			c->in = payload_part(c, d, k, "json");
			payload_dims(c, d, k);
			return true;
		}
	return false;
}

static void
whole(struct logs_ctx *c, struct jdoc *d, uint32_t i)
{
	c->in = payload_part(c, d, i, jdoc_is(d, i, JDOC_STRING) ? "text" :
	    "json");
	payload_dims(c, d, i);
}

void
payload_request(struct logs_ctx *c, struct jdoc *d, uint32_t i)
{
	if (i == JDOC_NONE || d->v[i].type == JDOC_NULL ||
	    (d->v[i].type >= JDOC_ARRAY && d->v[i].count == 0))
		return;
	if (!c->v[LOGS_MODEL].set && d == c->inner &&
	    jdoc_is(d, jdoc_get(d, i, "model"), JDOC_STRING)) {
		const struct logs_content_part m = payload_part(c, d,
		    jdoc_get(d, i, "model"), NULL);

		row_text(c, LOGS_MODEL, m.p, m.n);
	}
	if (payload_messages(c, d, i, &c->in) ||
	    payload_messages(c, d, jdoc_get(d, i, "messages"), &c->in) ||
	    payload_messages(c, d, jdoc_get(d, i, "input"), &c->in) ||
	    by_name(c, d, i))
		return;
	whole(c, d, i);
}

void
payload_response(struct logs_ctx *c, struct jdoc *d, uint32_t i)
{
	if (i == JDOC_NONE || d->v[i].type == JDOC_NULL ||
	    (d->v[i].type >= JDOC_ARRAY && d->v[i].count == 0))
		return;
	if (!answer_object(c, d, i))
		c->out = payload_part(c, d, i, jdoc_is(d, i, JDOC_STRING) ?
		    "text" : "json");
}

static bool
has(const char *type, size_t n, const char *word)
{
	return type != NULL && memmem(type, n, word, strlen(word)) != NULL;
}

/* Eight bytes at once as long as they are ASCII: bodies are long. */
static bool
is_text(const uint8_t *p, size_t n)
{
	size_t i = 0;
	uint64_t w;

	for (; n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, p + i, sizeof(w));
		if ((w & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return text_is_utf8(p + i, n - i);
}

void
payload_bytes(struct logs_ctx *c, bool response, const uint8_t *p, size_t n,
    const char *type, size_t type_n, const struct logs_content_part *at)
{
	struct logs_content_part *x = response ? &c->out : &c->in;
	size_t used = 0;
	bool text;

	if (n == 0)
		return;
	text = is_text(p, n);
	if ((p[0] == '{' || p[0] == '[') && c->inner != c->d &&
	    jdoc_parse(c->inner, p, n, &used) == 0) {
		if (response)
			payload_response(c, c->inner, 0);
		else
			payload_request(c, c->inner, 0);
	} else if ((p[0] < 0x20 || !text) &&
	    v2proto_payload(c, response, p, n, at)) {
		/* A protobuf of English text alone is UTF-8 too. */
		return;
	} else {
		*x = (struct logs_content_part){.p = p, .n = n,
		    .type = has(type, type_n, "csv") ? "csv" :
		    text ? "text" : "binary"};
		if (response && has(type, type_n, "csv"))
			answer_csv(c, p, n);
	}
	x->placed = at->placed;
	x->off = at->off;
	x->len = at->len;
}

bool
payload_base64(struct logs_ctx *c, bool response, uint32_t i,
    const char *type, size_t type_n)
{
	struct logs_content_part at;
	const uint8_t *p;
	size_t n;

	if (!jdoc_is(c->d, i, JDOC_STRING) || c->d->v[i].len == 0)
		return false;
	at = payload_part(c, c->d, i, NULL);
	if (base64_decode(c->scratch, at.p, at.n, BASE64_MILD, &p, &n) < 0) {
		tell(c, LOGS_PROBLEM_PAYLOAD, c->raw_off, c->raw_n, "base64");
		return false;
	}
	payload_bytes(c, response, p, n, type, type_n, &at);
	return true;
}
