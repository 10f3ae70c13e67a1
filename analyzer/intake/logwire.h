#ifndef ANALYZER_INTAKE_LOGWIRE_H_
#define ANALYZER_INTAKE_LOGWIRE_H_

#include "base/fields.h"

struct buf;
struct err;
struct frame;

/*
 * Frames of the worker that reads logs: what it sends, what the parent
 * checks.
 */
enum { LOGWIRE_REQUEST = 1, LOGWIRE_PROBLEM, LOGWIRE_SECRET, LOGWIRE_LOG,
	LOGWIRE_CUT };

enum { LOGWIRE_P_ID, LOGWIRE_P_PATH, LOGWIRE_P_LINE, LOGWIRE_P_OFF,
	LOGWIRE_P_LEN, LOGWIRE_P_WHAT, LOGWIRE_PROBLEM_COLUMNS };
extern const struct field_def logwire_problem[LOGWIRE_PROBLEM_COLUMNS];

enum { LOGWIRE_S_KIND, LOGWIRE_S_PATH, LOGWIRE_S_LINE, LOGWIRE_S_OFF,
	LOGWIRE_S_LEN, LOGWIRE_S_COLUMN, LOGWIRE_S_SHA256,
	LOGWIRE_SECRET_COLUMNS };
extern const struct field_def logwire_secret[LOGWIRE_SECRET_COLUMNS];

enum { LOGWIRE_L_PATH, LOGWIRE_L_FRAMING, LOGWIRE_L_DECOMPRESSED,
	LOGWIRE_L_BYTES, LOGWIRE_L_RECORDS, LOGWIRE_L_OUTSIDE,
	LOGWIRE_L_UNDATED, LOGWIRE_L_SECRETS, LOGWIRE_L_FIRST,
	LOGWIRE_L_LAST, LOGWIRE_L_PROBLEMS, LOGWIRE_L_SHAPES,
	LOGWIRE_LOG_COLUMNS };
extern const struct field_def logwire_log[LOGWIRE_LOG_COLUMNS];

/*
 * logwire_line: the parent's side, as struct intake_kind wants it: requests
 * to requests.jsonl, all else to notes.jsonl.
 */
int logwire_line(const struct frame *f, const char **name, struct buf *b,
    struct err *e);

#endif /* !ANALYZER_INTAKE_LOGWIRE_H_ */
