#include <math.h>

#include "analyzer/diff/basis.h"
#include "analyzer/traffic/callerjudge.h"

/* Images. */
#define OPTIMISE_NOISE 0.15
#define OPTIMISE_CLUSTER 40
#define OPTIMISE_DRIFT 0.35
#define OPTIMISE_GOAL 0.4
#define OPTIMISE_DMAG 2.0
#define OPTIMISE_FLIP 0.2
#define OPTIMISE_MOVED 0.55
#define PAN_SPEED 0.02		/* grey levels for each member */
#define PAN_ROOTS 0.05
#define PAN_WHITE 0.995
#define SPARSE_SHARE 0.1
#define SPARSE_CELLS 8
#define SPARSE_LONE 0.5
#define SPARSE_OF_NEAR 0.25
#define BOUNDARY_NEAR 0.25
#define BOUNDARY_MARGIN 0.08
#define BOUNDARY_FLIP 0.2
#define BOUNDARY_FLIP_ALONE 0.3	/* where no scores are logged */
#define BOUNDARY_ROOTS 3
#define SCENE_CONTINUITY 0.95
#define SCENE_ROOTS 0.3
#define INPUTS_KS 0.45
#define INPUTS_NEAR 0.5
#define CONFIDENCE_KS 0.4
#define CONFIDENCE_NEAR 0.5
#define ROOTS 100
#define CONTINUITY 0.5
/* Texts. */
#define COVER 0.1
#define SHORT 0.5
#define SHORT_ABOVE 0.3
#define FOREIGN 0.97
#define FOREIGN_SPREADS 4
#define FOREIGN_FLOOR 0.02
#define FOREIGN_SUB_ONE 0.15
#define FOREIGN_FRESH 0.5

void
callerjudge_add(struct callerjudge_verdicts *v, const char *id)
{
	if (v->n < ROW_VERDICTS)
		v->id[v->n++] = id;
}

/*
 * Comparisons with a NAN are false: what is not known is no evidence.  What
 * changes in a few places of one image is a clock, and no search; a camera
 * that pans moves fast and leaves many views behind, or pairs that differ by
 * motion; what moves in a scene that goes on leaves roots of the same scene.
 */
void
callerjudge_images(const struct callerjudge_images *c,
    struct callerjudge_verdicts *v)
{
	const struct imageprobe_figures *f = &c->f;
	bool clock = f->sparse_diff > f->near_dup / 2 &&
	    f->cells < SPARSE_CELLS;
	bool scene = f->continuity > SCENE_CONTINUITY &&
	    (double)f->roots > SCENE_ROOTS * (double)f->requests;
	bool pan = f->dmag > PAN_SPEED * (double)f->still_cluster &&
	    ((double)f->roots > PAN_ROOTS * (double)f->requests ||
	    f->noise_diff < PAN_WHITE * f->near_dup);

	if (f->noise_diff > OPTIMISE_NOISE && !clock &&
	    f->still_cluster >= OPTIMISE_CLUSTER && f->drift > OPTIMISE_DRIFT &&
	    ((f->goal > OPTIMISE_GOAL && f->dmag > OPTIMISE_MOVED && !pan) ||
	    (f->dmag > OPTIMISE_DMAG && f->flip > OPTIMISE_FLIP)))
		callerjudge_add(v, "evasion-optimisation");
	if (f->sparse_diff > SPARSE_SHARE && f->cells >= SPARSE_CELLS &&
	    f->sparse_diff > SPARSE_OF_NEAR * f->near_dup &&
	    (f->lone > SPARSE_LONE || f->goal > OPTIMISE_GOAL))
		callerjudge_add(v, "evasion-few-pixel");
	/* A still scene that the model is unsure of has one root. */
	if (f->near_dup > BOUNDARY_NEAR && (isfinite(f->margin) ?
	    f->margin < BOUNDARY_MARGIN && f->flip > BOUNDARY_FLIP :
	    f->flip > BOUNDARY_FLIP_ALONE) &&
	    f->roots >= BOUNDARY_ROOTS && !scene && !clock)
		callerjudge_add(v, "evasion-boundary");
	/* Of one scene that goes on the inputs are no sample of anything. */
	if (!c->population || f->roots < ROOTS ||
	    f->continuity > CONTINUITY)
		return;
	if (!c->vectors && c->ks_tv > INPUTS_KS &&
	    (f->near_dup < INPUTS_NEAR || !f->large))
		callerjudge_add(v, "extraction-inputs");
	if (c->ks_conf > CONFIDENCE_KS && f->near_dup < CONFIDENCE_NEAR)
		callerjudge_add(v, "extraction-confidence");
}

void
callerjudge_texts(const struct callerjudge_texts *c,
    struct callerjudge_verdicts *v)
{
	const struct textprobe_figures *f = &c->f;

	if (f->cov > COVER)
		callerjudge_add(v, f->cov_char > f->cov / 2 ?
		    "evasion-character-search" : "evasion-word-search");
	if (f->short_ > SHORT && (!c->population ||
	    f->short_ > c->usual_short + SHORT_ABOVE))
		callerjudge_add(v, "extraction-dictionary");
	/* A template is foreign to all others too, and always the same. */
	if (c->population && f->sub_one < FOREIGN_SUB_ONE &&
	    c->fresh > FOREIGN_FRESH && (c->unattested > FOREIGN ||
	    c->unattested > c->usual + FOREIGN_SPREADS *
	    (1.4826 * c->spread + FOREIGN_FLOOR)))
		callerjudge_add(v, "extraction-text");
}

static void
tell(struct basis *b, const char *key, double v)
{
	if (isfinite(v))
		basis_f64(b, key, v);
	else
		basis_null(b, key);
}

void
callerjudge_tell_images(const struct callerjudge_images *c, struct basis *b)
{
	const struct imageprobe_figures *f = &c->f;

	basis_u64(b, "requests", f->requests);
	basis_f64(b, "exact_dup", f->exact_dup);
	basis_f64(b, "near_dup", f->near_dup);
	basis_u64(b, "roots", f->roots);
	basis_u64(b, "max_cluster", f->max_cluster);
	basis_u64(b, "still_cluster", f->still_cluster);
	basis_f64(b, "novelty", f->requests > 0 ?
	    (double)f->roots / (double)f->requests : 0);
	if (!c->vectors) {
		tell(b, "sparse_diff", f->sparse_diff);
		basis_u64(b, "sparse_cells", f->cells);
		tell(b, "sparse_lone", f->lone);
		tell(b, "noise_diff", f->noise_diff);
	}
	tell(b, "drift", f->drift);
	tell(b, "dmag", f->dmag);
	tell(b, "goal", f->goal);
	tell(b, "continuity", f->continuity);
	tell(b, "margin", f->margin);
	tell(b, "flip", f->flip);
	if (c->population) {
		if (!c->vectors)
			tell(b, "ks_tv", c->ks_tv);
		tell(b, "ks_conf", c->ks_conf);
	}
}

void
callerjudge_tell_texts(const struct callerjudge_texts *c, struct basis *b)
{
	const struct textprobe_figures *f = &c->f;

	basis_u64(b, "requests", f->requests);
	basis_f64(b, "exact_dup", f->exact_dup);
	basis_f64(b, "near_dup", f->requests > 0 ?
	    (double)f->joined / (double)f->requests : 0);
	basis_f64(b, "novelty", f->requests > 0 ?
	    (double)(f->distinct - f->joined) / (double)f->requests : 0);
	basis_u64(b, "max_cluster", f->max_cluster);
	basis_f64(b, "cov", f->cov);
	basis_f64(b, "cov_char", f->cov_char);
	basis_f64(b, "short", f->short_);
	basis_f64(b, "sub_one", f->sub_one);
	tell(b, "flip", f->flip);
	if (c->population) {
		basis_f64(b, "unattested", c->unattested);
		basis_f64(b, "fresh", c->fresh);
	}
}

void
callerjudge_tell_clusters(const struct clusters *k, const char *key,
    struct basis *b)
{
	struct cluster top[CLUSTERS_TOP];
	unsigned n = clusters_top(k, top);

	basis_array(b, key);
	for (unsigned i = 0; i < n; i++) {
		basis_object(b, NULL);
		basis_u64(b, "size", top[i].size);
		basis_u64(b, "first", top[i].first);
		basis_u64(b, "last", top[i].last);
		basis_end(b);
	}
	basis_end(b);
}

void
callerjudge_tell_rules(struct basis *b)
{
	basis_object(b, "thresholds");
	basis_str(b, "evasion_optimisation", "noise_diff > 0.15 and "
	    "still_cluster >= 40 and drift > 0.35 and (goal > 0.4 and "
	    "dmag > 0.55 and not a pan or dmag > 2 and flip > 0.2) and not "
	    "a clock");
	basis_str(b, "pan", "dmag > 0.02 * still_cluster and (roots > 0.05 "
	    "* requests or noise_diff < 0.995 * near_dup)");
	basis_str(b, "scene", "continuity > 0.95 and roots > 0.3 * "
	    "requests");
	basis_str(b, "clock", "sparse_diff > near_dup / 2 and sparse_cells "
	    "< 8");
	basis_str(b, "evasion_few_pixel", "sparse_diff > 0.1 and "
	    "sparse_diff > near_dup / 4 and sparse_cells >= 8 and "
	    "(sparse_lone > 0.5 or goal > 0.4)");
	basis_str(b, "evasion_boundary", "near_dup > 0.25 and (margin < 0.08 "
	    "and flip > 0.2, or flip > 0.3 without scores) and roots >= 3 "
	    "and neither a clock nor a scene");
	basis_str(b, "extraction_inputs", "ks_tv > 0.45 and roots >= 100 and "
	    "(near_dup < 0.5 or no cluster of 20) and continuity <= 0.5");
	basis_str(b, "extraction_confidence", "ks_conf > 0.4 and "
	    "roots >= 100 and near_dup < 0.5 and continuity <= 0.5");
	basis_str(b, "evasion_word_search", "cov > 0.1 and "
	    "cov_char <= cov / 2");
	basis_str(b, "evasion_character_search", "cov > 0.1 and "
	    "cov_char > cov / 2");
	basis_str(b, "extraction_dictionary", "short > 0.5 and, of a "
	    "population, 0.3 above its median");
	basis_str(b, "extraction_text", "(unattested > 0.97 or unattested "
	    "> median + 4 * (1.4826 * MAD + 0.02)) and sub_one < 0.15 and "
	    "fresh > 0.5");
	basis_end(b);
}
