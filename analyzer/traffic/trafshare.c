#include "analyzer/diff/basis.h"
#include "analyzer/traffic/trafdrift.h"
#include "analyzer/traffic/trafstate.h"

/*
 * Sudden concentration: a sixteenth of the time line in which one caller sent
 * half of all requests, who had sent a tenth of those before at most.
 */
#define SHARE 0.5
#define SHARE_BEFORE 0.1
#define PARTS 4			/* of the time line, together */
#define LEAST_IN 200
#define LEAST_BEFORE 1000
#define TOLD 100

struct burst {
	unsigned bucket;
	uint64_t in, all, before, all_before;
};

/* The part with the largest share, when it is enough. */
static bool
find(const struct traffic *t, const struct callerset_caller *c,
    struct burst *ret)
{
	uint64_t before = 0, all_before = 0;
	double best = SHARE;

	for (unsigned i = 0; i + PARTS <= TRAFDRIFT_BUCKETS; i++) {
		uint64_t all = 0, in = 0;
		double share;

		for (unsigned k = i; k < i + PARTS; k++) {
			all += trafdrift_bucket(t->drift, k);
			in += c->bucket[k];
		}
		share = all > 0 ? (double)in / (double)all : 0;
		if (in >= LEAST_IN && all_before >= LEAST_BEFORE &&
		    share >= best && (double)before <=
		    SHARE_BEFORE * (double)all_before) {
			best = share + 1e-9;
			*ret = (struct burst){i, in, all, before,
			    all_before};
		}
		before += c->bucket[i];
		all_before += trafdrift_bucket(t->drift, i);
	}
	return best > SHARE;
}

static int
tell(struct traffic *t, const struct callerset_caller *c,
    const struct burst *f, uint32_t rank)
{
	struct row_candidate row = {.lead = true, .kind = "caller",
	    .value = callerset_row(&c->name), .rank = rank,
	    .score = (double)f->in / (double)f->all,
	    .method = "traffic-concentration"};
	struct basis b;
	int r;

	basis_init(&b);
	basis_u64(&b, "records", f->in);
	basis_u64(&b, "first_part", f->bucket);
	basis_u64(&b, "parts", TRAFDRIFT_BUCKETS);
	basis_f64(&b, "share", (double)f->in / (double)f->all);
	basis_f64(&b, "share_before", (double)f->before /
	    (double)f->all_before);
	basis_str(&b, "threshold", "half of 4 of 64 parts of the time line "
	    "(200 requests), a tenth of what came before (1000) at most");
	row.evidence = &b;
	r = t->o->d.rows->candidate(t->o->d.rows->ctx, &row);
	basis_release(&b);
	return r;
}

int
trafshare_tell(struct traffic *t)
{
	bool applied = t->added.records >= LEAST_IN + LEAST_BEFORE;
	struct row_detector row = {.method = "traffic-concentration",
	    .applied = applied, .reason = applied ? NULL :
	    "fewer than 1200 records"};
	uint32_t found = 0;
	struct basis b;
	struct burst f;
	int r;

	for (size_t i = 0; i < callerset_count(t->callers); i++) {
		const struct callerset_caller *c = callerset_at(t->callers, i);

		if (c->name.p == NULL || !find(t, c, &f))
			continue;
		if (++found <= TOLD && (r = tell(t, c, &f, found)) < 0)
			return r;
	}
	basis_init(&b);
	basis_u64(&b, "records", t->added.records);
	basis_u64(&b, "parts", TRAFDRIFT_BUCKETS);
	basis_u64(&b, "found", found);
	basis_f64(&b, "threshold", SHARE);
	row.evidence = &b;
	r = t->o->d.rows->detector(t->o->d.rows->ctx, &row);
	basis_release(&b);
	return r;
}
