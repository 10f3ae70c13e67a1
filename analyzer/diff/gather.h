#ifndef ANALYZER_DIFF_GATHER_H_
#define ANALYZER_DIFF_GATHER_H_

struct err;
struct table;

/*
 * From files to tensors: every leaf that a model format claims is parsed by
 * the best bid, and what it tells goes into the table.  A file beside it
 * (external data, a shard) is another leaf of the same side.
 *
 * What a parser cannot read to its end is told (DIFF-UNREAD); what it told
 * until then is compared.
 */
int gather_tensors(struct table *t, struct err *e);

/*
 * gather_units: which inputs are one model; fills t->units, sorted by path,
 * and the unit of each input.
 */
int gather_units(struct table *t, struct err *e);

#endif /* !ANALYZER_DIFF_GATHER_H_ */
