#include <stdlib.h>

#include "analyzer/triggers/imageresidue_parts.h"
#include "base/err.h"

/* Results of classes as finds of the set. */

static uint32_t
count_bits(const struct imageset *t, const uint64_t *bits)
{
	uint32_t n = 0;

	for (size_t i = 0; i < image_words(t); i++)
		n += (uint32_t)__builtin_popcountll(bits[i]);
	return n;
}

/* Room for a find of the class, unless its images are copies of one. */
static struct image_find *
new_find(struct imageset *t, enum image_method m, uint32_t cls, double score,
    uint64_t **bits, float **shape, int *r)
{
	struct image_find *f;
	double share = imageset_agreement(t, *bits);

	*r = 0;
	if (share - t->e0 >= IMAGE_COPIES || (t->e0 < IMAGE_ALIKE &&
	    imageset_likeness(t, *bits) >= IMAGE_ALMOST)) {
		t->residue_copies++;
		return NULL;
	}
	if ((f = image_new_find(t, m, cls, score, r)) == NULL)
		return NULL;
	free(f->bits);
	f->bits = *bits;
	f->shape = *shape;
	f->share = share;
	*bits = NULL;
	*shape = NULL;
	f->holders = f->in_class = count_bits(t, f->bits);
	return f;
}

/* The class's results as finds; what they own goes over. */
static int
found(struct residue_work *w, uint32_t cls)
{
	struct residue_result *q = &w->result[cls];
	struct imageset *t = w->t;
	struct image_find *f;
	int r = 0;

	if (q->r.score >= RESIDUE_KEPT && (f = new_find(t, IMAGE_RESIDUE, cls,
	    q->r.score, &q->rbits, &q->rshape, &r)) != NULL) {
		f->view = q->rview;
		f->low_bits = q->kind == PLANE_LOW;
		f->residue = q->r;
		f->spec = q->spec;
	}
	if (r == 0 && q->c.score >= RESIDUE_KEPT && (f = new_find(t,
	    IMAGE_CLUSTER, cls, q->c.score, &q->cbits, &q->cshape, &r)) !=
	    NULL) {
		f->view = q->cview;
		f->cluster = q->c;
	}
	return r;
}

int
residue_gather(struct residue_work *w)
{
	struct imageset *t = w->t;
	int r = 0;

	for (uint32_t i = 0; i < t->nclasses && r == 0; i++) {
		const struct residue_result *q = &w->result[i];

		if (q->failed)
			return ERR_NOMEM;
		t->residue_small += !q->judged;
		t->residue_classes += q->judged;
		t->residue_cut += q->cut;
		t->residue_everywhere += q->everywhere;
		t->cluster_classes += q->clustered;
		t->cluster_small += !q->clustered && !w->weak;
		t->cluster_reports += q->c.score >= 1;
		if (q->judged && q->r.score > t->best_residue)
			t->best_residue = q->r.score;
		if (q->judged && q->c.score > t->best_cluster)
			t->best_cluster = q->c.score;
		r = found(w, i);
	}
	/*
	 * Sources that were mixed divide many classes, of those that were
	 * tried; a trigger does one.
	 */
	t->cluster_mixed = t->cluster_reports > 1 &&
	    3 * t->cluster_reports > t->cluster_classes;
	return r;
}
