#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/diff/rows.h"
#include "analyzer/triggers/imagepicture.h"
#include "analyzer/triggers/imageset_parts.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * What was found, as rows.  One pattern is often seen by several methods, and
 * a block by its parts: what shares its label and half of its records with
 * something that came before is told with that, not by itself.
 */
#define THRESHOLD 1.0
#define LEADS 5
#define OVERLAP 0.5
#define ALSO 8

struct told {
	const struct image_find *f;
	double score;		/* with those that were folded into it */
	const struct image_find *also[ALSO];
	unsigned nalso;
};

static bool
is_block(const struct image_find *f)
{
	return f->k > 0;
}

/* A block says where it is: it is shown rather than what supports it. */
static int
by_strength(const void *x, const void *y)
{
	const struct told *a = x, *b = y;
	int s = is_block(a->f) && a->f->score >= THRESHOLD;
	int t = is_block(b->f) && b->f->score >= THRESHOLD;

	if (s != t)
		return t - s;
	if (a->f->score != b->f->score)
		return a->f->score > b->f->score ? -1 : 1;
	return (a->f > b->f) - (a->f < b->f);
}

static int
by_rank(const void *x, const void *y)
{
	const struct told *a = x, *b = y;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return (a->f > b->f) - (a->f < b->f);
}

static bool
belongs(const struct imageset *t, const struct image_find *a,
    const struct image_find *b)
{
	uint64_t both = 0, x = 0, y = 0;

	if (a->cls != b->cls)
		return false;
	for (size_t i = 0; i < image_words(t); i++) {
		both += (uint64_t)__builtin_popcountll(a->bits[i] & b->bits[i]);
		x += (uint64_t)__builtin_popcountll(a->bits[i]);
		y += (uint64_t)__builtin_popcountll(b->bits[i]);
	}
	return (double)both >= OVERLAP * (double)(x < y ? x : y);
}

static size_t
fold(const struct imageset *t, struct told *all, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < kept && !belongs(t, all[k].f, all[i].f))
			k++;
		if (k == kept) {
			all[kept++] = all[i];
			continue;
		}
		if (all[k].nalso < ALSO)
			all[k].also[all[k].nalso++] = all[i].f;
		if (all[i].score > all[k].score)
			all[k].score = all[i].score;
	}
	return kept;
}

static void
put_value(const struct imageset *t, const struct image_find *f, char *dst,
    size_t n)
{
	const struct view *v = &t->view[f->view];
	const struct residue_score *q = &f->residue;

	if (is_block(f) && f->fixed)
		(void)snprintf(dst, n, "%ux%u block at (%u,%u)", f->k, f->k,
		    v->x + f->x, v->y + f->y);
	else if (is_block(f))
		(void)snprintf(dst, n, "%ux%u block anywhere", f->k, f->k);
	else if (strcmp(f->method, "image-cluster") == 0)
		(void)snprintf(dst, n, "group of images with a pattern");
	else if (f->low_bits)
		(void)snprintf(dst, n, "pattern in the lowest bits");
	else if (q->win >= 0.45 && !v->means)
		(void)snprintf(dst, n, "mark about (%u,%u)", v->x + q->wx,
		    v->y + q->wy);
	else
		(void)snprintf(dst, n, "%s", q->fs >= 0.5 ?
		    "periodic pattern" : "blended pattern");
}

static int
by_row(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

static int
put_rows(const struct imageset *t, const struct image_find *f,
    struct basis *s)
{
	uint64_t *rows = calloc((size_t)f->holders + 1, sizeof(*rows));
	size_t n = 0;

	if (rows == NULL)
		return err_set(t->d->e, ERR_NOMEM, "no memory for rows");
	for (size_t i = 0; i < image_words(t); i++)
		for (uint64_t w = f->bits[i]; w != 0 && n < f->holders;
		    w &= w - 1)
			rows[n++] = t->row[i * 64 +
			    (unsigned)__builtin_ctzll(w)];
	qsort(rows, n, sizeof(*rows), by_row);
	basis_u64(s, "row_count", n);
	basis_array(s, "rows");
	for (size_t i = 0; i < n && i < DETECT_ROWS; i++)
		basis_u64(s, NULL, rows[i]);
	basis_end(s);
	free(rows);
	return 0;
}

/* Four digits: what is below them depends on the machine's library. */
static double
round4(double v)
{
	return isfinite(v) ? rint(v * 1e4) / 1e4 : v;
}

static void
put_figures(const struct imageset *t, const struct image_find *f,
    struct basis *s)
{
	const struct view *v = &t->view[f->view];
	const struct residue_score *q = &f->residue;

	basis_f64(s, "score", round4(f->score));
	if (is_block(f)) {
		basis_u64(s, "size", f->k);
		basis_str(s, "place", f->fixed ? "fixed" : "any");
		basis_u64(s, "x", v->x + f->x);
		basis_u64(s, "y", v->y + f->y);
		basis_u64(s, "with_label", f->in_class);
		basis_f64(s, "minus_log10_p", round4(f->lp));
		basis_f64(s, "equal_pixels", round4(f->share));
		if (t->e0 >= IMAGE_ALIKE)
			basis_f64(s, "unlike_label", round4(f->lq));
		return;
	}
	basis_str(s, "view", !t->reduced ? "whole" : v->means ?
	    "grid of means" : "corner");
	if (strcmp(f->method, "image-cluster") == 0) {
		basis_str(s, "plane", "high-pass");
		basis_f64(s, "fraction", round4(f->cluster.fraction));
		basis_f64(s, "silhouette", round4(f->cluster.sil));
		basis_f64(s, "envelope", round4(f->cluster.envelope));
		basis_f64(s, "other_classes", round4(f->cluster.spec));
		return;
	}
	basis_str(s, "plane", f->low_bits ? "lowest bits" : "high-pass");
	basis_f64(s, "tau", q->tau);
	basis_f64(s, "halves_cosine", round4(q->cs));
	basis_f64(s, "tail_z", round4(q->t1));
	basis_f64(s, "separation", round4(q->sep));
	basis_f64(s, "weight", round4(q->weight));
	basis_f64(s, "window_share", round4(q->win));
	basis_u64(s, "window_x", v->x + q->wx);
	basis_u64(s, "window_y", v->y + q->wy);
	basis_f64(s, "four_frequencies", round4(q->fs));
	basis_f64(s, "fine_share", round4(q->hf));
	basis_f64(s, "other_classes", round4(f->spec));
}

static void
put_also(const struct imageset *t, const struct told *c, struct basis *s)
{
	if (c->nalso == 0)
		return;
	basis_array(s, "also");
	for (unsigned i = 0; i < c->nalso; i++) {
		char value[64];

		put_value(t, c->also[i], value, sizeof(value));
		basis_object(s, NULL);
		basis_str(s, "method", c->also[i]->method);
		basis_str(s, "value", value);
		basis_f64(s, "score", round4(c->also[i]->score));
		basis_end(s);
	}
	basis_end(s);
}

static int
tell_one(const struct imageset *t, const struct told *c, uint32_t rank,
    bool lead)
{
	const struct image_class *cls = &t->classes[c->f->cls];
	char value[64];
	struct row_candidate r = {.lead = lead,
	    .kind = is_block(c->f) ? "patch" : "class",
	    .score = round4(c->score), .rank = rank,
	    .method = c->f->method};
	struct basis s;
	int e;

	put_value(t, c->f, value, sizeof(value));
	r.value = (struct row_text){value, strlen(value)};
	r.target = (struct row_text){cls->name, cls->len};
	basis_init(&s);
	basis_u64(&s, "records", c->f->holders);
	basis_u64(&s, "class_records", cls->count);
	basis_f64(&s, "threshold", THRESHOLD);
	put_figures(t, c->f, &s);
	put_also(t, c, &s);
	imagepicture_put(t, c->f, &s);
	r.evidence = &s;
	e = put_rows(t, c->f, &s);
	if (e == 0)
		e = t->d->rows->candidate(t->d->rows->ctx, &r);
	basis_release(&s);
	return e;
}

static int
tell_finds(const struct imageset *t)
{
	struct told *all = calloc(t->nfinds + 1, sizeof(*all));
	size_t n = 0;
	uint32_t rank = 0;
	int r = 0;

	if (all == NULL)
		return err_set(t->d->e, ERR_NOMEM, "no memory for rows");
	for (size_t i = 0; i < t->nfinds; i++) {
		const struct image_find *f = &t->finds[i];

		if (t->cluster_mixed && strcmp(f->method, "image-cluster") ==
		    0)
			continue;
		all[n].f = f;
		all[n++].score = f->score;
	}
	qsort(all, n, sizeof(*all), by_strength);
	n = fold(t, all, n);
	qsort(all, n, sizeof(*all), by_rank);
	for (size_t i = 0; i < n && r == 0; i++)
		if (all[i].score >= THRESHOLD)
			r = tell_one(t, &all[i], ++rank, false);
	for (size_t i = rank, left = LEADS; i < n && r == 0 && left > 0;
	    i++, left--)
		r = tell_one(t, &all[i], ++rank, true);
	free(all);
	return r;
}

static void
put_intake(const struct imageset *t, struct basis *s)
{
	basis_u64(s, "records", t->seen);
	basis_u64(s, "looked_at", t->n);
	basis_u64(s, "not_sampled", t->seen - t->other_size - t->no_class -
	    t->n);
	basis_u64(s, "other_size", t->other_size);
	basis_u64(s, "label_not_taken", t->no_class);
	basis_u64(s, "lossy", t->lossy);
	basis_u64(s, "width", t->w);
	basis_u64(s, "height", t->h);
	basis_u64(s, "channels", t->ch);
	basis_u64(s, "classes", t->nclasses);
	basis_f64(s, "equal_pixels", round4(t->e0));
	basis_f64(s, "threshold", THRESHOLD);
}

static int
tell_detector(const struct imageset *t, const char *method, bool applied,
    const char *reason, struct basis *s)
{
	struct row_detector r = {.method = method, .applied = applied,
	    .reason = reason, .evidence = s};
	int e = t->d->rows->detector(t->d->rows->ctx, &r);

	basis_release(s);
	return e;
}

/* Why nothing can be said at all; NULL where something can. */
static const char *
why_not(const struct imageset *t)
{
	if (t->seen == t->other_size && t->seen > 0)
		return "no image has a size that could be taken";
	if (t->n < IMAGE_FEWEST)
		return "there are fewer than 40 images of one size";
	if (t->nclasses < 2)
		return "all images have one label";
	return NULL;
}

static const char *
block_limits(const struct imageset *t)
{
	if (t->lossy > 0)
		return "in JPEG files the pixels of a patch differ from image "
		    "to image: only what survives exactly is seen";
	if (t->e0 >= IMAGE_ALIKE)
		return "the images have many pixels in common, so that a "
		    "repeated block is weak evidence";
	if (t->block_dropped > 0)
		return "more blocks repeat than could be counted";
	if (t->block_not_looked > 0)
		return "more blocks repeat than could be looked at";
	return t->reduced ? "of large images the corners are looked at" : NULL;
}

static const char *
residue_limits(const struct imageset *t)
{
	if (t->residue_classes == 0)
		return "no class has 40 images of 64 pixels, with 40 in "
		    "the others";
	if (t->e0 >= IMAGE_ALIKE)
		return "the images have many pixels in common, so that what "
		    "they share is weak evidence";
	return t->residue_cut > 0 ? "large classes were sampled" : NULL;
}

static const char *
cluster_limits(const struct imageset *t)
{
	if (t->e0 >= IMAGE_ALIKE)
		return "the images have many pixels in common: every class "
		    "falls into groups";
	if (t->cluster_classes == 0)
		return "no class has 150 images of 64 pixels, with 40 in "
		    "the others";
	if (t->cluster_mixed)
		return "more than a third of the classes fall into two groups: "
		    "the set is of mixed sources, which is no trigger";
	if (t->cluster_small > 0)
		return "classes of fewer than 150 images were not looked at";
	return t->residue_cut > 0 ? "large classes were sampled" : NULL;
}

static int
tell_methods(const struct imageset *t)
{
	const char *none = why_not(t);
	struct basis s;
	int r;

	basis_init(&s);
	put_intake(t, &s);
	basis_u64(&s, "blocks_counted", t->block_keys);
	basis_u64(&s, "blocks_not_counted", t->block_dropped);
	basis_u64(&s, "keys_not_wanted", t->block_unwanted);
	basis_u64(&s, "blocks_not_looked_at", t->block_not_looked);
	basis_u64(&s, "copies_of_images", t->block_copies);
	basis_f64(&s, "highest_score", round4(t->best_block));
	if ((r = tell_detector(t, "image-block", none == NULL, none != NULL ?
	    none : block_limits(t), &s)) < 0)
		return r;
	basis_init(&s);
	put_intake(t, &s);
	basis_u64(&s, "classes_judged", t->residue_classes);
	basis_u64(&s, "classes_too_small", t->residue_small);
	basis_u64(&s, "class_records_not_sampled", t->residue_cut);
	basis_u64(&s, "marks_on_all_classes", t->residue_everywhere);
	basis_u64(&s, "finds_left_out", t->left_out[IMAGE_RESIDUE]);
	basis_u64(&s, "copies_of_images", t->residue_copies);
	basis_f64(&s, "highest_score", round4(t->best_residue));
	if ((r = tell_detector(t, "image-residue", none == NULL &&
	    t->residue_classes > 0, none != NULL ? none : residue_limits(t),
	    &s)) < 0)
		return r;
	basis_init(&s);
	put_intake(t, &s);
	basis_u64(&s, "classes_judged", t->cluster_classes);
	basis_u64(&s, "classes_too_small", t->cluster_small);
	basis_u64(&s, "classes_in_two_groups", t->cluster_reports);
	basis_u64(&s, "finds_left_out", t->left_out[IMAGE_CLUSTER]);
	basis_f64(&s, "highest_score", round4(t->best_cluster));
	return tell_detector(t, "image-cluster", none == NULL &&
	    t->cluster_classes > 0 && !t->cluster_mixed, none != NULL ? none :
	    cluster_limits(t), &s);
}

/* What none of the methods sees, or sees badly. */
static int
tell_blind(const struct imageset *t)
{
	static const struct {
		const char *method, *reason;
		bool large;	/* of large images alone */
	} blind[] = {
		{"image-patch-moving-jpeg", "not covered: patches at random "
		    "places in JPEG files", false},
		{"image-warp", "not covered: images that are warped (WaNet)",
		    false},
		{"image-reflection", "not covered: reflections of another "
		    "picture that differ from image to image", false},
		{"image-sample-specific", "not covered: noise that is made for "
		    "each image (ISSBA), and generated triggers", false},
		{"image-object", "not covered: natural objects as triggers",
		    false},
		{"image-picture-blend", "hardly covered: another picture "
		    "blended in; strong blends in many images are seen", false},
		{"image-patch-inside", "not covered: small patches elsewhere "
		    "than in the corners of images of more than 64 pixels a "
		    "side", true},
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]) && r >= 0;
	    i++) {
		struct basis s;

		if (blind[i].large && !t->reduced)
			continue;
		basis_init(&s);
		r = tell_detector(t, blind[i].method, false, blind[i].reason,
		    &s);
	}
	return r;
}

int
imagetell(struct imageset *t)
{
	int r = 0;

	if (why_not(t) == NULL)
		r = tell_finds(t);
	if (r >= 0)
		r = tell_methods(t);
	return r >= 0 ? tell_blind(t) : r;
}
