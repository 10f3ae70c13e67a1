#ifndef ANALYZER_TRAFFIC_CALLERJUDGE_H_
#define ANALYZER_TRAFFIC_CALLERJUDGE_H_

#include <stdbool.h>
#include <stddef.h>

#include "analyzer/diff/rows.h"
#include "analyzer/traffic/imageprobe.h"
#include "analyzer/traffic/textprobe.h"

struct basis;

/*
 * The verdicts on a caller, by thresholds that were fixed on one set of logs
 * and counted on another (docs/TRAFFIC.md).
 *
 * What compares a caller with all others (the distributions of variation and
 * confidence, foreign pairs of words) needs a population: CALLERJUDGE_CALLERS
 * callers with CALLERJUDGE_ENOUGH images, or LIMIT_TRAFFIC_LEAST texts, which
 * have more words than images have numbers here; without it these rules rest.
 */
#define CALLERJUDGE_CALLERS 8
#define CALLERJUDGE_ENOUGH 100

struct callerjudge_images {
	struct imageprobe_figures f;
	bool population, vectors;
	double ks_tv, ks_conf;		/* NAN: not known */
};

struct callerjudge_texts {
	struct textprobe_figures f;
	bool population;
	double unattested, fresh;
	double usual, spread;	/* its median and MAD over callers */
	double usual_short;	/* median of short over callers */
};

struct callerjudge_verdicts {
	const char *id[ROW_VERDICTS];
	unsigned n;
};

void callerjudge_images(const struct callerjudge_images *c,
    struct callerjudge_verdicts *v);
void callerjudge_texts(const struct callerjudge_texts *c,
    struct callerjudge_verdicts *v);
void callerjudge_add(struct callerjudge_verdicts *v, const char *id);

/* Statistics under their names; the thresholds, for the detector's row. */
void callerjudge_tell_images(const struct callerjudge_images *c,
    struct basis *b);
void callerjudge_tell_texts(const struct callerjudge_texts *c,
    struct basis *b);
void callerjudge_tell_clusters(const struct clusters *k, const char *key,
    struct basis *b);
void callerjudge_tell_rules(struct basis *b);

#endif /* !ANALYZER_TRAFFIC_CALLERJUDGE_H_ */
