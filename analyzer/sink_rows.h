#ifndef ANALYZER_SINK_ROWS_H_
#define ANALYZER_SINK_ROWS_H_

#include "analyzer/result_diff.h"

struct json_write;
struct result_call;
struct result_finding;
struct result_header;
struct result_object;
struct result_summary;
struct result_carved;

/*
 * The rows of a result as JSON objects: used by the sinks that write JSON.
 * Keys and their meaning are fixed by schemas/results-*.schema.json.
 */
extern const struct sink_ops sink_jsonl, sink_json;

void sink_row_header(struct json_write *w, const struct result_header *h);
void sink_row_object(struct json_write *w, const struct result_object *o);
void sink_row_finding(struct json_write *w, const struct result_finding *r);
void sink_row_call(struct json_write *w, const struct result_call *c);
void sink_row_carved(struct json_write *w, const struct result_carved *c);
/* sink_row_diff.c */
void sink_row_diff(struct json_write *w, const struct result_diff *r);
/* sink_row_sums: members of the summary's open object. */
void sink_row_sums(struct json_write *w, const struct diff_sums *d);
const char *sink_model_verdict(enum model_verdict v);
void sink_row_summary(struct json_write *w, const struct result_summary *r);

#endif /* !ANALYZER_SINK_ROWS_H_ */
