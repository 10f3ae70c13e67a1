#ifndef ANALYZER_REPORT_H_
#define ANALYZER_REPORT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct err;
struct jrow;

/*
 * The report: from result files and the ledger's bodies to one
 * self-contained HTML file.  It never touches evidence again.  Result files
 * may come from anywhere, so reading them and writing the HTML happen in a
 * sandboxed worker; the parent copies bytes.
 *
 * No script, no external resource, a Content-Security-Policy that forbids
 * both; every text escaped by construction (html.h).  A result file without
 * its summary, or with a line that is not one of ours, is said on top.
 */
struct report_input {
	const char *name;	/* of the result file, as given */
	int fd;			/* read only */
	uint8_t sha256[32];
};

struct report_options {
	const struct report_input *inputs;
	size_t ninputs;
	const struct buf *ledger;	/* bodies, one a line; NULL: no case */
	int64_t now_ns;
};

/* report_html: run the worker; the HTML is written to ${out_fd}. */
int report_html(const struct report_options *o, int out_fd, struct err *e);

/* What the worker reads before it writes. */
struct report_source {
	const char *name;
	const uint8_t *sha256;
	struct jrow *first, *last;
	struct jrow *header, *summary;
	const char *problem;	/* why it is not whole, or NULL */
	struct report_heat *heat;	/* its tensors, or NULL */
	struct report_source *next;
};

struct report {
	const struct report_options *o;
	struct arena *arena;
	struct report_source *sources;
	struct report_source *ledger;	/* rows: event bodies */
};

int report_load(struct report *r, const struct report_options *o,
    struct err *e);
void report_write_html(const struct report *r, struct buf *b);
/* Parts of it, in report_parts.c. */
void report_write_findings(const struct report *r, struct buf *b);
/* report_program.c */
void report_write_bytes(const struct report *r, struct buf *b);
void report_write_programs(const struct report *r, struct buf *b);
void report_write_objects(const struct report *r, struct buf *b);
void report_write_custody(const struct report *r, struct buf *b);
/* report_diff.c: what comparisons found. */
void report_write_diffs(const struct report *r, struct buf *b);
/*
 * report_heat.c.  Tensors may be a million: their rows are not kept.
 * report_heat_take: what the heat maps need of one; 0, or ERR_NOMEM.
 * report_heat_write: layers by modules, and the tensors that changed most.
 */
int report_heat_take(struct report_heat **h, const struct jrow *tensor,
    struct arena *a);
void report_heat_write(const struct report_heat *h, struct buf *b);
void report_write_statements(const struct report *r, struct buf *b);

#endif /* !ANALYZER_REPORT_H_ */
