#include <string.h>

#include "analyzer/apilog/apilog_pack.h"
#include "base/bug.h"

enum { TEXT_CALLER, TEXT_ENDPOINT, TEXT_MODEL, TEXT_LABEL, TEXT_OUTPUT,
	TEXT_TEXT, TEXTS };
enum { HAS_TIME = 1 << 0, HAS_STATUS = 1 << 1, HAS_DIGEST = 1 << 2,
	HAS_CLASSES = 1 << 3 };
#define ABSENT UINT32_MAX

/* The head; doubles, pixels, texts and names of classes are behind it. */
struct packed {
	struct apilog_pack_head head;
	int64_t ns;
	uint64_t in_bytes, out_bytes;
	uint32_t text[TEXTS];	/* lengths, or ABSENT */
	uint32_t width, height, channels;
	uint32_t nvector, nscores;
	uint32_t status;
	uint32_t kind, flags;
	uint8_t digest[32];
};
_Static_assert(sizeof(struct packed) % sizeof(double) == 0, "doubles fit");

static void
texts_of(const struct traffic_record *r, const struct row_text *ret[TEXTS])
{
	ret[TEXT_CALLER] = &r->caller;
	ret[TEXT_ENDPOINT] = &r->endpoint;
	ret[TEXT_MODEL] = &r->model;
	ret[TEXT_LABEL] = &r->label;
	ret[TEXT_OUTPUT] = &r->output;
	ret[TEXT_TEXT] = &r->text;
}

static size_t
pixels_of(const struct traffic_record *r)
{
	return r->kind == TRAFFIC_IMAGE ?
	    (size_t)r->width * r->height * r->channels : 0;
}

static size_t
vector_of(const struct traffic_record *r)
{
	return r->kind == TRAFFIC_VECTOR ? r->nvector : 0;
}

size_t
apilog_pack_size(const struct traffic_record *r)
{
	const struct row_text *text[TEXTS];
	size_t n = sizeof(struct packed);

	BUG_ON(r->nscores > LIMIT_LOG_SCORES);
	texts_of(r, text);
	for (unsigned i = 0; i < TEXTS; i++)
		n += text[i]->p != NULL ? text[i]->n : 0;
	n += (vector_of(r) + r->nscores) * sizeof(double) + pixels_of(r);
	for (size_t i = 0; r->classes != NULL && i < r->nscores; i++)
		n += 4 + r->classes[i].n;
	return (n + 7) / 8 * 8;
}

static uint8_t *
put(uint8_t *dst, const void *p, size_t n)
{
	if (n > 0)
		memcpy(dst, p, n);
	return dst + n;
}

static uint8_t *
put_classes(uint8_t *dst, const struct traffic_record *r)
{
	for (size_t i = 0; i < r->nscores; i++) {
		const uint32_t n = (uint32_t)r->classes[i].n;

		dst = put(dst, &n, 4);
		dst = put(dst, r->classes[i].p, n);
	}
	return dst;
}

void
apilog_pack(uint8_t *dst, const struct traffic_record *r, int64_t key,
    size_t size)
{
	struct packed h = {.head = {size, key, r->number}, .ns = r->ns,
	    .in_bytes = r->in_bytes, .out_bytes = r->out_bytes,
	    .width = r->width, .height = r->height, .channels = r->channels,
	    .nvector = (uint32_t)vector_of(r),
	    .nscores = (uint32_t)r->nscores, .status = r->status,
	    .kind = (uint32_t)r->kind};
	const struct row_text *text[TEXTS];
	uint8_t *const begin = dst;

	h.flags = (r->has_time ? HAS_TIME : 0U) |
	    (r->has_status ? HAS_STATUS : 0U) |
	    (r->has_digest ? HAS_DIGEST : 0U) |
	    (r->classes != NULL ? HAS_CLASSES : 0U);
	memcpy(h.digest, r->digest, sizeof(h.digest));
	texts_of(r, text);
	for (unsigned i = 0; i < TEXTS; i++)
		h.text[i] = text[i]->p != NULL ? (uint32_t)text[i]->n : ABSENT;
	dst = put(dst, &h, sizeof(h));
	dst = put(dst, r->vector, h.nvector * sizeof(double));
	dst = put(dst, r->scores, r->nscores * sizeof(double));
	dst = put(dst, r->pixels, pixels_of(r));
	for (unsigned i = 0; i < TEXTS; i++)
		if (text[i]->p != NULL)
			dst = put(dst, text[i]->p, text[i]->n);
	if (r->classes != NULL)
		dst = put_classes(dst, r);
	memset(dst, 0, size - (size_t)(dst - begin));
}

void
apilog_pack_head(const uint8_t *p, struct apilog_pack_head *ret)
{
	memcpy(ret, p, sizeof(*ret));
}

/* The texts of a record stand behind each other. */
static const uint8_t *
take_texts(const uint8_t *p, const struct packed *h,
    struct traffic_record *ret)
{
	struct row_text *const to[TEXTS] = {&ret->caller, &ret->endpoint,
	    &ret->model, &ret->label, &ret->output, &ret->text};

	for (unsigned i = 0; i < TEXTS; i++) {
		if (h->text[i] == ABSENT)
			continue;
		*to[i] = (struct row_text){(const char *)p, h->text[i]};
		p += h->text[i];
	}
	return p;
}

static void
take_classes(const uint8_t *p, struct traffic_record *ret,
    struct apilog_pack_space *space)
{
	uint32_t n;

	for (size_t i = 0; i < ret->nscores; i++) {
		memcpy(&n, p, 4);
		space->classes[i] = (struct row_text){(const char *)p + 4, n};
		p += 4 + n;
	}
	ret->classes = space->classes;
}

void
apilog_unpack(const uint8_t *p, struct traffic_record *ret,
    struct apilog_pack_space *space)
{
	struct packed h;

	memcpy(&h, p, sizeof(h));
	p += sizeof(h);
	*ret = (struct traffic_record){
	    .has_time = (h.flags & HAS_TIME) != 0, .ns = h.ns,
	    .number = h.head.number, .kind = (enum traffic_kind)h.kind,
	    .width = h.width, .height = h.height, .channels = h.channels,
	    .nvector = h.nvector, .nscores = h.nscores,
	    .has_status = (h.flags & HAS_STATUS) != 0,
	    .has_digest = (h.flags & HAS_DIGEST) != 0, .status = h.status,
	    .in_bytes = h.in_bytes, .out_bytes = h.out_bytes};
	memcpy(ret->digest, h.digest, sizeof(h.digest));
	if (h.nvector > 0)
		ret->vector = (const double *)(const void *)p;
	p += h.nvector * sizeof(double);
	if (h.nscores > 0)
		ret->scores = (const double *)(const void *)p;
	p += h.nscores * sizeof(double);
	if (ret->kind == TRAFFIC_IMAGE)
		ret->pixels = p;
	p = take_texts(p + pixels_of(ret), &h, ret);
	if ((h.flags & HAS_CLASSES) != 0)
		take_classes(p, ret, space);
}
