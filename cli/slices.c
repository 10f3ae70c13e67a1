#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/intake/slice_worker.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/slices.h"
#include "collector/collect.h"
#include "collector/slice.h"

int
slices_check(const struct collect_options *o, struct err *e)
{
	struct err why = ERR_INIT;
	char shown[160];
	int r;

	for (size_t i = 0; i < o->nsources; i++) {
		const char *spec = o->sources[i].slice;

		if (spec == NULL ||
		    (r = slice_spec(spec, NULL, NULL, &why)) >= 0)
			continue;
		return err_set(e, r == ERR_ARG ? ERR_ARG : why.code,
		    "the slice '%s': %s", text_z(shown, sizeof(shown), spec,
		    strlen(spec)), why.msg);
	}
	return 0;
}

struct ids {
	struct dataset_ids *v;
	size_t n;
};

static int
read_ids(void *ctx, const char *name, struct err *e)
{
	struct dataset_ids *v;
	struct ids *ids = ctx;
	struct buf b;
	int r;

	v = reallocarray(ids->v, ids->n + 1, sizeof(*v));
	if (v == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	ids->v = v;
	v += ids->n;
	buf_init(&b, LIMIT_SLICE_IDS);
	if ((r = fsio_read_file(AT_FDCWD, name, LIMIT_SLICE_IDS, &b, e)) <
	    0) {
		buf_release(&b);
		return r;
	}
	*v = (struct dataset_ids){strdup(name), malloc(b.len + 1), b.len};
	ids->n++;
	if (v->p != NULL && b.len > 0)
		memcpy(v->p, b.p, b.len);
	buf_release(&b);
	return v->name != NULL && v->p != NULL ? 0 :
	    err_set(e, ERR_NOMEM, "out of memory");
}

static int
start_one(struct slicer *s, size_t i, const char *spec, struct err *e)
{
	struct ids ids = {NULL, 0};
	int r;

	if ((r = slice_spec(spec, read_ids, &ids, e)) >= 0)
		return slicer_add(s, i, ids.v, ids.n, e);
	dataset_ids_free(ids.v, ids.n);
	return r;
}

int
slices_start(const struct collect_options *o, struct slicer **ret,
    struct err *e)
{
	struct slicer *s = NULL;
	int r = 0;

	for (size_t i = 0; i < o->nsources && r >= 0; i++) {
		if (o->sources[i].slice == NULL)
			continue;
		if (s == NULL && (r = slicer_new(slice_worker_main, &s,
		    e)) < 0)
			break;
		r = start_one(s, i, o->sources[i].slice, e);
	}
	if (r < 0) {
		slicer_free(s);
		return r;
	}
	*ret = s;
	return 0;
}
