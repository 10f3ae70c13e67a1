#include <stdlib.h>
#include <string.h>

#include "analyzer/rules.h"
#include "analyzer/weights.h"
#include "analyzer/weights_count.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"

/* Read at once; whole elements of every type. */
#define BLOCK (64 * KIB)

struct weights {
	const struct weights_events *ev;
	void *ctx;
	struct weights_count all;	/* of the object's floats */
	uint8_t block[BLOCK];
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
	free(w);
}

int
weights_tensor(struct weights *w, const struct weights_tensor *t,
    struct err *e)
{
	const struct weights_type *type = weights_type_find(t->dtype);
	uint64_t size = bytesrc_size(t->src), len, done = 0;
	size_t got;
	int r;

	if (t->off >= size || type->cls == WEIGHTS_BYTES)
		return 0;
	len = t->len < size - t->off ? t->len : size - t->off;
	while (done < len) {
		if ((r = bytesrc_read_some(t->src, t->off + done, w->block,
		    len - done < BLOCK ? (size_t)(len - done) : BLOCK, &got,
		    e)) < 0)
			return r;
		if (got == 0)
			break;
		weights_count(type->cls, w->block, got / type->width,
		    &w->all);
		done += got;
	}
	return 0;
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
	(void)e;
	return tell_channels(w);
}
