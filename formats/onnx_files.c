#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "formats/onnx.h"

/*
 * The files beside the model that its tensors name: each is opened once, by
 * whoever may open files, below the root and through no link.  Ranges are
 * sorted by file and place and walked once: outside of the file, longer or
 * shorter than dims say, across one another, and what none of them covers.
 *
 * Two tensors with the very same range are tied weights.  Zero bytes between
 * ranges are how writers align; anything else there is told with its place
 * and beginning.  A later tensor can be anywhere, so ranges and not bytes are
 * kept: a file of any size costs what its uncovered bytes cost.
 */
#define PREVIEW 32

static int
compare(const void *a, const void *b)
{
	const struct onnx_external *x = *(struct onnx_external *const *)a;
	const struct onnx_external *y = *(struct onnx_external *const *)b;

	if (x->location != y->location)
		return x->location < y->location ? -1 : 1;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static int
tell(struct onnx *o, enum anomaly id, const struct onnx_external *x,
    uint64_t off, uint64_t len)
{
	const struct fact facts[] = {
	    ONNX_FACT_NAME(o, "location", x->location),
	    ONNX_FACT_NAME(o, "tensor", x->tensor),
	    FACT_NUM("external_offset", off),
	    FACT_NUM("external_length", len)};

	return onnx_tell(o, id, x->at, 0, facts, 4);
}

/* Bytes of the file that no tensor covers. */
static int
check_gap(struct onnx *o, const struct onnx_external *x,
    const struct bytesrc *src, uint64_t off, uint64_t end)
{
	static const char digit[] = "0123456789abcdef";
	char hex[2 * PREVIEW];
	uint8_t raw[PREVIEW];
	size_t n;
	bool zero;
	int r;

	if ((r = onnx_zero(o, src, off, end - off, &zero, &off)) < 0 || zero)
		return r;
	n = end - off < PREVIEW ? (size_t)(end - off) : PREVIEW;
	if ((r = bytesrc_read(src, off, raw, n, o->p->e)) < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		hex[2 * i] = digit[raw[i] >> 4];
		hex[2 * i + 1] = digit[raw[i] & 15];
	}
	const struct fact facts[] = {
	    ONNX_FACT_NAME(o, "location", x->location),
	    FACT_NUM("external_offset", off),
	    FACT_NUM("external_length", end - off),
	    FACT_TEXT("external_preview_hex", hex, 2 * n)};

	return onnx_tell(o, ANOMALY_ONNX_EXTERNAL_GAP, x->at, 0, facts, 4);
}

static int
tell_tensor(struct onnx *o, const struct onnx_external *x,
    const struct bytesrc *src)
{
	const char *dtype = onnx_dtype(x->type);
	const struct ev_tensor ev = {onnx_text(o, x->tensor),
	    onnx_text_len(o, x->tensor), dtype != NULL ? dtype : "?",
	    x->dims, x->rank, x->off, x->len < x->want ? x->len : x->want,
	    src};

	return format_tensor(o->p, &ev);
}

/* One tensor against its file; *len: what of the file it covers. */
static int
check_range(struct onnx *o, struct onnx_external *x,
    const struct bytesrc *src)
{
	const uint64_t size = bytesrc_size(src);
	int r;

	if (x->off > size || (x->has_len && x->len > size - x->off)) {
		r = tell(o, ANOMALY_ONNX_EXTERNAL_RANGE, x, x->off, x->len);
		x->off = x->off < size ? x->off : size;
		x->len = size - x->off;
		return r;
	}
	/* Without a length a reader takes what dims need, or all. */
	if (!x->has_len)
		x->len = x->want < size - x->off ? x->want : size - x->off;
	if (x->want != UINT64_MAX && x->len < x->want &&
	    (r = tell(o, ANOMALY_ONNX_DATA_SHORT, x, x->off, x->len)) < 0)
		return r;
	if (x->len > x->want && x->want != UINT64_MAX) {
		bool zero;
		uint64_t first;

		if ((r = onnx_zero(o, src, x->off + x->want,
		    x->len - x->want, &zero, &first)) < 0 ||
		    (r = tell(o, zero ? ANOMALY_ONNX_SURPLUS_ZERO :
		    ANOMALY_ONNX_SURPLUS, x, x->off + x->want,
		    x->len - x->want)) < 0)
			return r;
	}
	return tell_tensor(o, x, src);
}

/* The ranges of one file, sorted. */
static int
check_file(struct onnx *o, struct onnx_external **x, size_t n,
    const struct bytesrc *src)
{
	uint64_t at = 0, size = bytesrc_size(src);
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		if ((r = check_range(o, x[i], src)) < 0)
			return r;
		if (x[i]->len == 0)
			continue;
		if (x[i]->off > at)
			r = check_gap(o, x[i], src, at, x[i]->off);
		else if (x[i]->off < at && i > 0 &&
		    (x[i]->off != x[i - 1]->off ||
		    x[i]->len != x[i - 1]->len))
			r = tell(o, ANOMALY_ONNX_EXTERNAL_OVERLAP, x[i],
			    x[i]->off, x[i]->len);
		if (x[i]->off + x[i]->len > at)
			at = x[i]->off + x[i]->len;
	}
	if (r >= 0 && at < size)
		r = check_gap(o, x[n - 1], src, at, size);
	return r;
}

static int
open_file(struct onnx *o, struct onnx_external **x, size_t n)
{
	const uint32_t where = x[0]->location;
	struct bytesrc *src = NULL;
	int r = format_sibling(o->p, onnx_text(o, where),
	    onnx_text_len(o, where), &src);

	switch (r) {
	case SIBLING_OPEN:
		r = check_file(o, x, n, src);
		bytesrc_free(src);
		return r;
	case SIBLING_NONE:
		return tell(o, ANOMALY_ONNX_EXTERNAL_MISSING, x[0], x[0]->off,
		    x[0]->len);
	case SIBLING_REFUSED:
		return tell(o, ANOMALY_ONNX_EXTERNAL_LINK, x[0], x[0]->off,
		    x[0]->len);
	case SIBLING_UNKNOWN:
		return tell(o, ANOMALY_ONNX_EXTERNAL_UNSEEN, x[0], x[0]->off,
		    x[0]->len);
	default:
		return r;
	}
}

int
onnx_files(struct onnx *o)
{
	static const char what[] = "files";
	const struct fact facts[] = {FACT_TEXT("limit", what, 5)};
	const size_t count = o->externals.count - 1;
	struct onnx_external **x;
	size_t from = 0, to;
	unsigned files = 0;
	int r = 0;

	if (count == 0)
		return 0;
	if ((x = arena_array(o->p->arena, count,
	    sizeof(struct onnx_external *))) == NULL)
		return err_set(o->p->e, ERR_NOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++)
		x[i] = onnx_at(&o->externals, i + 1);
	qsort(x, count, sizeof(*x), compare);
	for (; from < count && r >= 0; from = to) {
		for (to = from + 1; to < count &&
		    x[to]->location == x[from]->location; to++)
			;
		if (++files > LIMIT_ONNX_FILES)
			return onnx_tell(o, ANOMALY_LIMIT, x[from]->at, 0,
			    facts, 1);
		r = open_file(o, x + from, to - from);
	}
	return r;
}
