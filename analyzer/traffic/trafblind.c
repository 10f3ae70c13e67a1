#include "analyzer/diff/basis.h"
#include "analyzer/traffic/trafstate.h"

/*
 * What no detector of traffic sees, said with every log, so that nobody takes
 * silence for an answer.
 */
static const struct {
	const char *method, *reason;
} blind[] = {
	{"traffic-blind-natural", "extraction with natural inputs of the "
	    "model's own field looks like an honest heavy user; only volume, "
	    "rate and label coverage of its caller tell anything"},
	{"traffic-blind-few", "an attack with fewer than 50 requests for "
	    "each key is not judged, but where several keys search around "
	    "the same input"},
	{"traffic-blind-digest", "inputs that are logged as digests alone "
	    "show repetitions, rates and answers, and nothing of what was "
	    "asked"},
	{"traffic-blind-adaptive", "an attacker that keeps each image more "
	    "than 3 grey levels (root mean square of its thumbnail) away from "
	    "the earlier ones, or changes two words at once, leaves no "
	    "cluster"},
};

int
trafblind_tell(struct traffic *t)
{
	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++) {
		struct row_detector row = {.method = blind[i].method,
		    .applied = false, .reason = blind[i].reason};
		struct basis b;
		int r;

		basis_init(&b);
		if (i == 2)
			basis_u64(&b, "records", t->added.digests);
		row.evidence = &b;
		r = t->o->d.rows->detector(t->o->d.rows->ctx, &row);
		basis_release(&b);
		if (r < 0)
			return r;
	}
	return 0;
}
