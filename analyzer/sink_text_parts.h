#ifndef ANALYZER_SINK_TEXT_PARTS_H_
#define ANALYZER_SINK_TEXT_PARTS_H_

#include <stdint.h>

#include "analyzer/result_diff.h"
#include "analyzer/sink.h"
#include "base/buf.h"

/*
 * For sink_text_diff.c (what is kept, and in which order it is written) and
 * sink_text_lines.c (the lines of rows other than tensors) alone.
 */
#define SINK_TEXT_FIRST 20	/* tensors of a status, without -v */

enum section {
	SECTION_VERSIONS,
	SECTION_CALLERS,
	SECTION_CONCLUSIONS,
	SECTION_CHANGES,
	SECTION_CANDIDATES,
	SECTION_DETECTORS,
	SECTION_FINDINGS,
	SECTION_INPUTS,
	SECTIONS
};

/* A tensor's line, by how much it changed. */
struct ranked {
	double weight;
	char *line;
};

struct sink_text_diff {
	struct buf section[SECTIONS];
	uint64_t lines[SECTIONS], hidden[SECTIONS];
	struct ranked first[ROW_STATUS_COUNT][SINK_TEXT_FIRST];
	unsigned nfirst[ROW_STATUS_COUNT];
	struct buf line;	/* that is being made */
	int spool;		/* tensors under -v, or -1 */
};

/* sink_text_diff_keep: the line that was made, to its section, or counted. */
void sink_text_diff_keep(const struct sink *s, enum section k);

/* sink_text_lines_row: makes the line and keeps it. */
void sink_text_lines_row(const struct sink *s, const struct result_diff *d);
/* sink_text_lines_name: at most ${max} bytes of a name, printable. */
void sink_text_lines_name(struct buf *b, struct row_text t, size_t max);

#endif /* !ANALYZER_SINK_TEXT_PARTS_H_ */
