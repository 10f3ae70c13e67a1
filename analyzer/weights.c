#include <stdlib.h>
#include <string.h>

#include "analyzer/weights.h"
#include "analyzer/weights_carve.h"
#include "analyzer/weights_lanes.h"
#include "analyzer/weights_octave.h"
#include "analyzer/weights_precision.h"
#include "analyzer/weights_siblings.h"
#include "analyzer/weights_tell.h"
#include "analyzer/weights_tilt.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Method
 *
 * A tensor is read once, WEIGHTS_BLOCK bytes at a time.  Each window of
 * WEIGHTS_WINDOW elements is counted and put into the histograms that its
 * type has, and each detector is told that the window is full; the carver
 * sees each block with the last elements of the one before.  At the tensor's
 * end the detectors say what they found; they may read windows again
 * (weights_read), since what a window is compared with is known only then.
 */
#define CARRY_BYTES (WEIGHTS_CARRY * 8)
/* Zeros of one tensor whose signs are kept for the carver. */
#define SIGNS_MAX (4 * MIB)

struct weights {
	struct weights_teller teller;
	unsigned parts;			/* enum weights_parts */
	struct weights_count all;	/* of the object's floats */
	struct weights_octave octave;
	struct weights_lanes lanes;
	struct weights_tilt tilt;
	struct weights_precision precision;
	struct weights_siblings siblings;
	struct weights_carve *carve;
	struct err *e;			/* of the call in progress */
	uint8_t *signs;			/* of zeros: 0 or 1 each */
	size_t nsigns;
	bool signs_turn;		/* they are being carved */
	uint8_t data[CARRY_BYTES + WEIGHTS_BLOCK];
	uint8_t block[WEIGHTS_BLOCK];	/* for reading again */
};

struct weights *
weights_new(const struct weights_events *ev, void *ctx, unsigned parts,
    struct err *e)
{
	struct weights *w;

	if ((w = calloc(1, sizeof(*w))) == NULL ||
	    (w->carve = weights_carve_new(e)) == NULL) {
		weights_free(w);
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	w->teller = (struct weights_teller){ev, ctx};
	w->parts = parts;
	return w;
}

void
weights_free(struct weights *w)
{
	if (w == NULL)
		return;
	weights_siblings_release(&w->siblings);
	weights_carve_free(w->carve);
	free(w->signs);
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

static int
on_flag(void *ctx, const struct weights_at *at, const struct weights_flag *f)
{
	struct weights *w = ctx;

	return weights_tell_flag(&w->teller, at, f);
}

static int
on_carved(void *ctx, const struct weights_carved *x)
{
	struct weights *w = ctx;

	return weights_tell_carved(&w->teller, x, w->signs_turn, w->e);
}

static void
begin(struct weights *w, enum weights_class cls)
{
	weights_octave_begin(&w->octave);
	weights_lanes_begin(&w->lanes, cls);
	weights_tilt_begin(&w->tilt);
	weights_precision_begin(&w->precision);
	w->nsigns = 0;
}

/* The signs of a window's zeros. */
static void
keep_signs(struct weights *w, unsigned width, const uint8_t *p, size_t n)
{
	if (w->signs == NULL && (w->signs = malloc(SIGNS_MAX)) == NULL)
		return;	/* said by whoever next needs memory */
	for (size_t i = 0; i < n && w->nsigns < SIGNS_MAX; i++) {
		const uint8_t *x = p + i * width;
		unsigned any = x[width - 1] & 0x7f;

		for (unsigned b = 0; b + 1 < width; b++)
			any |= x[b];
		if (any == 0)
			w->signs[w->nsigns++] = x[width - 1] >> 7;
	}
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
	if (c.zero > 0)
		keep_signs(w, width, p, n);
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
			break;
		weights_octave_part(&w->octave, part);
	}
	if (cls == WEIGHTS_F16)
		weights_tilt_window(&w->tilt);
	if (n == WEIGHTS_WINDOW)
		weights_lanes_window(&w->lanes, c.zero);
}

static void
count_block(struct weights *w, const struct weights_at *at, const uint8_t *p,
    size_t n)
{
	size_t part;

	if (at->type->cls == WEIGHTS_BYTES ||
	    (w->parts & WEIGHTS_STATISTICS) == 0)
		return;
	for (size_t i = 0; i < n; i += part) {
		part = n - i < WEIGHTS_WINDOW ? n - i : WEIGHTS_WINDOW;
		window(w, at->type->cls, at->type->width,
		    p + i * at->type->width, part);
	}
}

/* The block stands behind the elements that are shown to the carver again. */
static int
read_all(struct weights *w, const struct weights_at *at, struct err *e)
{
	const unsigned width = at->type->width;
	const size_t carry = (size_t)WEIGHTS_CARRY * width;
	uint8_t *block = w->data + CARRY_BYTES;
	uint64_t done = 0, left;
	size_t kept = 0, n, got;
	int r;

	while (done < at->n) {
		left = at->n - done;
		n = left < WEIGHTS_BLOCK / width ? (size_t)left :
		    WEIGHTS_BLOCK / width;
		if ((r = bytesrc_read(at->t->src, at->t->off + done * width,
		    block, n * width, e)) < 0)
			return r;
		count_block(w, at, block, n);
		got = n + kept / width;
		if ((w->parts & WEIGHTS_CARVE) != 0 &&
		    (r = weights_carve_block(w->carve, block - kept, got,
		    done - kept / width, n == left, e)) < 0)
			return r;
		done += n;
		kept = carry;
		memcpy(block - carry, block + n * width - carry,
		    n == left ? 0 : carry);
	}
	return 0;
}

/* Zeros' signs as a tensor of bytes: its lowest bits are a plane. */
static int
carve_signs(struct weights *w, const struct weights_tensor *t, struct err *e)
{
	struct weights_tensor zeros = *t;
	struct weights_at at = {.t = &zeros, .block = w->block,
	    .flag = on_flag, .ctx = w, .type = weights_type_find("")};
	struct bytesrc *src;
	size_t n = w->nsigns;
	int r;

	if (n < 8 * WEIGHTS_PEEK)
		return 0;
	if ((src = bytesrc_mem(w->signs, n, e)) == NULL)
		return ERR_NOMEM;
	zeros.src = src;
	zeros.off = 0;
	zeros.len = at.n = n;
	w->signs_turn = true;
	weights_carve_begin(w->carve, &at, on_carved, w);
	r = read_all(w, &at, e);
	w->signs_turn = false;
	bytesrc_free(src);
	return r;
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

/* A tensor too small for statistics is counted and carved all the same. */
static int
judge(struct weights *w, const struct weights_at *at, struct err *e)
{
	const enum weights_class cls = at->type->cls;
	int r = 0;

	if (cls == WEIGHTS_BYTES)
		return 0;
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
	if (t->off >= size)
		return 0;
	len = t->len < size - t->off ? t->len : size - t->off;
	at.n = len / at.type->width;
	w->e = e;
	begin(w, at.type->cls);
	weights_carve_begin(w->carve, &at, on_carved, w);
	if ((r = read_all(w, &at, e)) < 0 ||
	    (weights_carve_cut(w->carve) &&
	    (r = weights_tell_cut(&w->teller, &at)) < 0) ||
	    (r = judge(w, &at, e)) < 0)
		return r;
	return carve_signs(w, t, e);
}

int
weights_end(struct weights *w, struct err *e)
{
	int r;

	w->e = e;
	if ((r = weights_siblings_end(&w->siblings, on_flag, w)) < 0)
		return r;
	return weights_tell_channels(&w->teller, &w->all);
}
