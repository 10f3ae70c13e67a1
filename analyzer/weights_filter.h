#ifndef ANALYZER_WEIGHTS_FILTER_H_
#define ANALYZER_WEIGHTS_FILTER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where do three bytes stand, at certain distances, that begin something?
 *
 * Three bytes of a stream are three bytes of the block: 1 and 2 further in
 * the raw bytes, 4 and 8 in a lane of float32, -1 and 4 in others.  So one
 * look at each byte serves all streams: its class as a first, second and
 * third byte (eight sets of patterns, by the two halves of the byte, as in
 * Hyperscan's Teddy), then two ANDs for each pair of distances.
 */
#define WEIGHTS_PATTERNS_MAX 64
#define WEIGHTS_RULES_MAX 32
#define WEIGHTS_FILTER_MAX (64 * 1024 + 1024)	/* bytes at once */

/* Two bytes, and which third ones may follow: bit b % 8 of byte b / 8. */
struct weights_pattern {
	uint8_t b[2];
	uint8_t third[32];
};

struct weights_filter {
	uint8_t low[3][16], high[3][16];	/* class by half a byte */
	uint8_t byte[3][256];			/* class of a byte */
	uint8_t pair[65536 / 8];		/* first << 8 | second */
};

/* Second and third byte at these distances, in these lanes (1 << lane). */
struct weights_rule {
	int second, third;
	unsigned lanes;
};

struct weights_hit {
	uint32_t pos;		/* of the first byte */
	uint32_t rule;
};

void weights_filter_init(struct weights_filter *f,
    const struct weights_pattern *p, unsigned n);

/*
 * weights_filter_run: places before ${to} where a pattern's first two bytes
 * stand, and perhaps its third; bytes outside of p[0..n) are nothing.  A lane
 * is the place modulo ${width} (1, 2, 4, 8).  In no certain order.  Returns
 * how many there are; only the first ${max} are kept.  n is at most
 * WEIGHTS_FILTER_MAX.  The second is the same without SIMD.
 */
size_t weights_filter_run(const struct weights_filter *f,
    const struct weights_rule *rules, unsigned nrules, unsigned width,
    const uint8_t *p, size_t to, size_t n, struct weights_hit *hits,
    size_t max);
size_t weights_filter_scalar(const struct weights_filter *f,
    const struct weights_rule *rules, unsigned nrules, unsigned width,
    const uint8_t *p, size_t to, size_t n, struct weights_hit *hits,
    size_t max);

/*
 * weights_filter_row2: two filters at once over bytes that stand in a row;
 * the hits' rule is 0 or 1, for the first or the second filter.
 */
size_t weights_filter_row2(const struct weights_filter *f,
    const struct weights_filter *g, const uint8_t *p, size_t to, size_t n,
    struct weights_hit *hits, size_t max);
size_t weights_filter_row2_scalar(const struct weights_filter *f,
    const struct weights_filter *g, const uint8_t *p, size_t to, size_t n,
    struct weights_hit *hits, size_t max);

#endif /* !ANALYZER_WEIGHTS_FILTER_H_ */
