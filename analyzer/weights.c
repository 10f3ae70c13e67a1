#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/rules.h"
#include "analyzer/weights.h"
#include "analyzer/weights_lanes.h"
#include "analyzer/weights_octave.h"
#include "analyzer/weights_precision.h"
#include "analyzer/weights_siblings.h"
#include "analyzer/weights_tilt.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Method
 *
 * A tensor is read once, WEIGHTS_BLOCK bytes at a time.  Each window of
 * WEIGHTS_WINDOW elements is counted and put into the histograms that its
 * type has, and each detector is told that the window is full.  At the
 * tensor's end they say what they found; they may read windows again
 * (weights_read), since what a window is compared with is known only then.
 */
struct weights {
	const struct weights_events *ev;
	void *ctx;
	struct weights_count all;	/* of the object's floats */
	struct weights_octave octave;
	struct weights_lanes lanes;
	struct weights_tilt tilt;
	struct weights_precision precision;
	struct weights_siblings siblings;
	uint8_t block[WEIGHTS_BLOCK];
};

struct weights *
weights_new(const struct weights_events *ev, void *ctx, struct err *e)
{
	struct weights *w;

	if ((w = calloc(1, sizeof(*w))) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	w->ev = ev;
	w->ctx = ctx;
	return w;
}

void
weights_free(struct weights *w)
{
	if (w != NULL)
		weights_siblings_release(&w->siblings);
	free(w);
}

int
weights_read(const struct weights_at *at, uint64_t first, uint64_t n,
    uint64_t *got, struct err *e)
{
	const unsigned width = at->type->width;
	size_t len;
	int r;

	*got = 0;
	if (first >= at->n)
		return 0;
	if (n > at->n - first)
		n = at->n - first;
	if (n > WEIGHTS_BLOCK / width)
		n = WEIGHTS_BLOCK / width;
	r = bytesrc_read_some(at->t->src, at->t->off + first * width,
	    at->block, (size_t)n * width, &len, e);
	*got = len / width;
	return r;
}

void
weights_statistic(struct weights_flag *f, const char *name, double value,
    char compare, double threshold)
{
	f->statistic[f->statistics].name = name;
	f->statistic[f->statistics].value = value;
	f->statistic[f->statistics].compare = compare;
	f->statistic[f->statistics++].threshold = threshold;
}

/* A flag as a finding: "z": "0.4 < 3.5". */
static int
on_flag(void *ctx, const struct weights_at *at, const struct weights_flag *f)
{
	struct weights *w = ctx;
	const unsigned width = at->type->width;
	struct finding x = {.id = f->id, .severity = f->severity,
	    .confidence = f->confidence};
	char text[WEIGHTS_STATISTICS][64];

	x.off = at->t->off + f->first * width;
	x.len = f->count * width;
	rule_detail_text(&x, "tensor", at->t->name, at->t->name_len);
	rule_detail_text(&x, "dtype", at->type->name,
	    strlen(at->type->name));
	rule_detail_num(&x, "elements", at->n);
	rule_detail_text(&x, "test", f->test, strlen(f->test));
	if (f->stream != NULL)
		rule_detail_text(&x, "stream", f->stream, strlen(f->stream));
	rule_detail_num(&x, "first", f->first);
	rule_detail_num(&x, "count", f->count);
	if (f->windows > 0)
		rule_detail_num(&x, "windows", f->windows);
	for (unsigned i = 0; i < f->statistics; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%.1f %c %.1f",
		    f->statistic[i].value, f->statistic[i].compare,
		    f->statistic[i].threshold);
		rule_detail_text(&x, f->statistic[i].name, text[i],
		    strlen(text[i]));
	}
	return w->ev->finding(w->ctx, &x);
}

static void
begin(struct weights *w, enum weights_class cls)
{
	weights_octave_begin(&w->octave);
	weights_lanes_begin(&w->lanes, cls);
	weights_tilt_begin(&w->tilt);
	weights_precision_begin(&w->precision);
}

/* One window, or what is left of the tensor behind the last whole one. */
static void
window(struct weights *w, enum weights_class cls, unsigned width,
    const uint8_t *p, size_t n)
{
	struct weights_count c = {0};
	size_t part;

	weights_count(cls, p, n, &c);
	weights_precision_window(&w->precision, &c);
	if (cls == WEIGHTS_F16)
		weights_hist_f16(p, n, &w->tilt.cells, &w->lanes.lane[0]);
	for (size_t i = 0; i < n; i += part) {
		part = n - i < WEIGHTS_PART ? n - i : WEIGHTS_PART;
		if (cls == WEIGHTS_F32)
			weights_hist_f32(p + i * width, part,
			    &w->octave.part, &w->lanes.lane[0],
			    &w->lanes.lane[1]);
		else if (cls == WEIGHTS_BF16)
			weights_hist_bf16(p + i * width, part,
			    &w->octave.part);
		else
			continue;
		weights_octave_part(&w->octave, part);
	}
	if (cls == WEIGHTS_F16)
		weights_tilt_window(&w->tilt);
	if (n == WEIGHTS_WINDOW)
		weights_lanes_window(&w->lanes, c.zero);
}

static int
read_all(struct weights *w, const struct weights_at *at, struct err *e)
{
	const unsigned width = at->type->width;
	uint64_t done = 0, got;
	size_t n;
	int r;

	while (done < at->n) {
		if ((r = weights_read(at, done, WEIGHTS_BLOCK / width, &got,
		    e)) < 0)
			return r;
		if (got == 0)
			break;
		for (uint64_t i = 0; i < got; i += n) {
			n = got - i < WEIGHTS_WINDOW ? (size_t)(got - i) :
			    WEIGHTS_WINDOW;
			window(w, at->type->cls, width,
			    w->block + i * width, n);
		}
		done += got;
	}
	return 0;
}

static void
add_count(struct weights_count *all, const struct weights_count *c)
{
	all->n += c->n;
	all->zero += c->zero;
	all->negative_zero += c->negative_zero;
	all->denormal += c->denormal;
	all->nan += c->nan;
	all->nan_payload += c->nan_payload;
}

/* A tensor too small for statistics is counted all the same. */
static int
judge(struct weights *w, const struct weights_at *at, struct err *e)
{
	const enum weights_class cls = at->type->cls;
	int r = 0;

	add_count(&w->all, &w->precision.count);
	if (at->n < WEIGHTS_WINDOW)
		return 0;
	if (cls == WEIGHTS_F32 || cls == WEIGHTS_BF16)
		r = weights_octave_end(&w->octave, at, e);
	else if (cls == WEIGHTS_F16)
		r = weights_tilt_end(&w->tilt, at, e);
	if (r < 0 || (r = weights_lanes_end(&w->lanes, at, e)) < 0 ||
	    (r = weights_precision_end(&w->precision, at, e)) < 0)
		return r;
	return weights_siblings_add(&w->siblings, at, &w->lanes,
	    &w->precision, e);
}

int
weights_tensor(struct weights *w, const struct weights_tensor *t,
    struct err *e)
{
	struct weights_at at = {.t = t, .block = w->block, .flag = on_flag,
	    .ctx = w};
	uint64_t size = bytesrc_size(t->src), len;
	int r;

	at.type = weights_type_find(t->dtype);
	if (t->off >= size || at.type->cls == WEIGHTS_BYTES)
		return 0;
	len = t->len < size - t->off ? t->len : size - t->off;
	at.n = len / at.type->width;
	begin(w, at.type->cls);
	if ((r = read_all(w, &at, e)) < 0)
		return r;
	return judge(w, &at, e);
}

/*
 * Bits that nothing in a model depends on: one for each zero, 22 and more for
 * each NaN.  Honest models have a few of them, too (pruning leaves zeros of
 * both signs), so this is a note.
 */
static int
tell_channels(struct weights *w)
{
	struct finding f = {.id = FINDING_WGT_CHANNELS,
	    .severity = finding_info(FINDING_WGT_CHANNELS)->severity,
	    .confidence = CONFIDENCE_CERTAIN};
	const struct weights_count *c = &w->all;

	if (c->nan_payload == 0 && c->denormal <= c->n / 100 &&
	    (c->negative_zero < 64 || c->zero - c->negative_zero < 64))
		return 0;
	rule_detail_num(&f, "elements", c->n);
	rule_detail_num(&f, "negative_zeros", c->negative_zero);
	rule_detail_num(&f, "positive_zeros", c->zero - c->negative_zero);
	rule_detail_num(&f, "nan", c->nan);
	rule_detail_num(&f, "nan_with_payload", c->nan_payload);
	rule_detail_num(&f, "denormals", c->denormal);
	return w->ev->finding(w->ctx, &f);
}

int
weights_end(struct weights *w, struct err *e)
{
	int r;

	(void)e;
	if ((r = weights_siblings_end(&w->siblings, on_flag, w)) < 0)
		return r;
	return tell_channels(w);
}
