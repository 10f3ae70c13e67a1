#include <stdio.h>
#include <string.h>

#include "analyzer/rules.h"
#include "analyzer/weights_tell.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/format.h"

static void
detail(struct finding *f, const char *key, const char *text)
{
	rule_detail_text(f, key, text, strlen(text));
}

static void
begin(struct finding *f, const struct weights_at *at, enum finding_id id)
{
	memset(f, 0, sizeof(*f));
	f->id = id;
	f->severity = finding_info(id)->severity;
	f->confidence = CONFIDENCE_STRONG;
	rule_detail_text(f, "tensor", at->t->name, at->t->name_len);
	detail(f, "dtype", at->type->name);
	rule_detail_num(f, "elements", at->n);
}

int
weights_tell_flag(const struct weights_teller *t,
    const struct weights_at *at, const struct weights_flag *f)
{
	const unsigned width = at->type->width;
	char text[WEIGHTS_STATISTICS][64];
	struct finding x;

	begin(&x, at, f->id);
	x.severity = f->severity;
	x.confidence = f->confidence;
	x.off = at->t->off + f->first * width;
	x.len = f->count * width;
	detail(&x, "test", f->test);
	if (f->stream != NULL)
		detail(&x, "stream", f->stream);
	rule_detail_num(&x, "first", f->first);
	rule_detail_num(&x, "count", f->count);
	if (f->windows > 0)
		rule_detail_num(&x, "windows", f->windows);
	for (unsigned i = 0; i < f->statistics; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%.1f %c %.1f",
		    f->statistic[i].value, f->statistic[i].compare,
		    f->statistic[i].threshold);
		detail(&x, f->statistic[i].name, text[i]);
	}
	return t->ev->finding(t->ctx, &x);
}

/*
 * What a find means depends on where it is.  Integers may be bytes that a
 * program stores on purpose (texts, compressed images), in their order or one
 * an element: archives and source texts are a note there.  A pickle among raw
 * bytes is what every format's own reader calls PKL-CALLABLE; in a lane or
 * plane somebody has hidden it.
 */
static void
judge(const struct weights_carved *x, struct finding *f)
{
	const bool bytes = x->view->at->type->cls == WEIGHTS_BYTES;
	const bool raw = strcmp(x->view->s->name, "raw") == 0 &&
	    x->view->key == 0;
	const bool plain = bytes && x->view->key == 0 && x->view->s->n > 0;

	switch (x->found->kind) {
	case WEIGHTS_PROGRAM:
		f->id = FINDING_WGT_PAYLOAD;
		break;
	case WEIGHTS_SCRIPT:
		f->id = plain ? FINDING_WGT_EMBEDDED : FINDING_WGT_PAYLOAD;
		break;
	case WEIGHTS_PICKLE:
		f->id = FINDING_WGT_ARCHIVE;
		break;
	case WEIGHTS_ARCHIVE:
		f->id = plain ? FINDING_WGT_EMBEDDED : FINDING_WGT_ARCHIVE;
		break;
	case WEIGHTS_MEDIA:
		f->id = FINDING_WGT_EMBEDDED;
		break;
	}
	f->severity = finding_info(f->id)->severity;
	if (x->found->kind == WEIGHTS_PICKLE && raw)
		f->severity = SEVERITY_MEDIUM;
}

static void
stream_name(const struct weights_carved *x, bool zeros, char *dst, size_t n)
{
	const struct weights_view *v = x->view;
	char align[16] = "", key[16] = "";

	if (v->s->n == 0 && v->align > 0)
		(void)snprintf(align, sizeof(align), ":%u", v->align);
	if (v->key != 0)
		(void)snprintf(key, sizeof(key), "^%02x", v->key);
	(void)snprintf(dst, n, "%s%s%s%s", zeros ? "zeros." : "",
	    v->s->name, align, key);
}

static int
tell_member(const struct weights_teller *t, const struct weights_carved *x,
    const char *stream, struct err *e)
{
	const struct weights_at *at = x->view->at;
	const bool pickle = x->found->kind == WEIGHTS_PICKLE;
	struct ev_member m = {.size = x->n,
	    .flags = MEMBER_VIRTUAL | MEMBER_CARVED,
	    .format = pickle ? "pickle" : NULL};
	struct bytesrc *src;
	char name[512];
	int n, r;

	n = snprintf(name, sizeof(name), "%.*s#%s+%llu",
	    (int)(at->t->name_len < 384 ? at->t->name_len : 384),
	    at->t->name, stream, (unsigned long long)
	    weights_view_element(x->view, x->first));
	m.name = name;
	m.name_len = n > 0 ? (size_t)n : 0;
	/* Nothing is known to load a pickle from the middle of a tensor. */
	if (pickle && strcmp(stream, "raw") == 0)
		m.flags |= MEMBER_DORMANT;
	if ((src = bytesrc_mem(x->p, x->n, e)) == NULL)
		return ERR_NOMEM;
	m.src = src;
	r = t->ev->member(t->ctx, &m);
	bytesrc_free(src);
	return r;
}

int
weights_tell_carved(const struct weights_teller *t,
    const struct weights_carved *x, bool zeros, struct err *e)
{
	const struct weights_view *v = x->view;
	uint64_t first = weights_view_element(v, x->first);
	char stream[64], hex[2 * 32 + 1];
	struct finding f;
	int r;

	stream_name(x, zeros, stream, sizeof(stream));
	/* The format's parser has told of a pickle that is the tensor. */
	if (x->found->kind == WEIGHTS_PICKLE && x->first == 0 &&
	    strcmp(stream, "raw") == 0)
		return 0;
	begin(&f, v->at, FINDING_WGT_PAYLOAD);
	judge(x, &f);
	if (!zeros) {
		f.off = v->at->t->off + first * v->at->type->width;
		f.len = (weights_view_element(v, x->first + x->n - 1) -
		    first + 1) * v->at->type->width;
	}
	detail(&f, "kind", x->found->what);
	detail(&f, "stream", stream);
	rule_detail_num(&f, "first", first);
	rule_detail_num(&f, "bytes", x->n);
	if (!x->whole)
		detail(&f, "cut", "its end is not known");
	for (size_t i = 0; i < 32 && i < x->n; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", x->p[i]);
	detail(&f, "preview_hex", hex);
	if ((r = t->ev->finding(t->ctx, &f)) < 0)
		return r;
	return tell_member(t, x, stream, e);
}

int
weights_tell_channels(const struct weights_teller *t,
    const struct weights_count *c)
{
	struct finding f = {.id = FINDING_WGT_CHANNELS,
	    .severity = finding_info(FINDING_WGT_CHANNELS)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	if (c->nan_payload == 0 && c->denormal <= c->n / 100 &&
	    (c->negative_zero < 64 || c->zero - c->negative_zero < 64))
		return 0;
	rule_detail_num(&f, "elements", c->n);
	rule_detail_num(&f, "negative_zeros", c->negative_zero);
	rule_detail_num(&f, "positive_zeros", c->zero - c->negative_zero);
	rule_detail_num(&f, "nan", c->nan);
	rule_detail_num(&f, "nan_with_payload", c->nan_payload);
	rule_detail_num(&f, "denormals", c->denormal);
	return t->ev->finding(t->ctx, &f);
}

int
weights_tell_cut(const struct weights_teller *t, const struct weights_at *at)
{
	struct finding f;

	begin(&f, at, FINDING_LIMIT);
	f.confidence = CONFIDENCE_CERTAIN;
	f.off = at->t->off;
	f.len = at->t->len;
	detail(&f, "limit", "places in a tensor that look like a file");
	return t->ev->finding(t->ctx, &f);
}
