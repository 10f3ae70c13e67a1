#ifndef ANALYZER_DIFF_DIFF_WIRE_TAGS_H_
#define ANALYZER_DIFF_DIFF_WIRE_TAGS_H_

#include "analyzer/wire.h"

/*
 * Tags of fields, for diff_wire_send.c and diff_wire_read.c alone.  Frames
 * demand ascending order.
 *
 * There may be a million tensors, and a field costs the sender a walk over
 * those before it: what belongs together is one packed field.
 *
 *   half      u8 flags, text name, text path, text dtype, u8 rank,
 *             rank * u64le shape, [u64le digest], [32 bytes SHA-256]
 *   numbers   u64le elements, u64le changed, u8 measured, then rel_l2,
 *             cosine, max_abs (u64le, the bits of a double)
 *   list      texts
 *   text      u32le length, bytes
 *   verdicts  u8 each, enum caller_verdict
 */
enum { HALF_DIGEST = 1 << 0, HALF_SHA256 = 1 << 1, HALF_FLAGS = 3 };

enum { ST_SECCOMP = 1, ST_LANDLOCK, ST_RLIMITS };
enum { PROGRESS_DONE = 1, PROGRESS_TOTAL };
enum { SKIP_WHAT = 1, SKIP_WHY };
enum { INPUT_SIDE = 1, INPUT_PATH, INPUT_SIZE, INPUT_FORMAT, INPUT_TENSORS,
	INPUT_COMPLETE, INPUT_SHA256, INPUT_RECORDS,
	INPUT_UNDATED, INPUT_OUTSIDE };
enum { TENSOR_NAME = 1, TENSOR_STATUS, TENSOR_OLD, TENSOR_NEW,
	TENSOR_NUMBERS, TENSOR_MORE };
enum { CONCL_KIND = 1, CONCL_CONFIDENCE, CONCL_TENSORS, CONCL_IN_ALL,
	CONCL_EVIDENCE, CONCL_ALTERNATIVES };
enum { CAND_LEAD = 1, CAND_KIND, CAND_VALUE, CAND_SCORE, CAND_Q,
	CAND_TARGET, CAND_RANK, CAND_METHOD, CAND_EVIDENCE };
enum { CHG_AREA = 1, CHG_WHAT, CHG_PATH, CHG_KEY, CHG_OLD, CHG_NEW,
	CHG_MORE };
enum { DET_METHOD = 1, DET_APPLIED, DET_REASON, DET_EVIDENCE };
enum { VER_PATH = 1, VER_RANK, VER_DISTANCE, VER_SHARED, VER_IDENTICAL,
	VER_PARENT, VER_ROLLBACK, VER_EVIDENCE };
enum { CALL_NAME = 1, CALL_ENDPOINT, CALL_REQUESTS, CALL_VERDICTS,
	CALL_STATISTICS, CALL_FIRST, CALL_LAST };
enum { FIND_SIDE = 1, FIND_PATH = WIRE_FINDING_LAST + 1 };
enum { PIECE_BYTES = 1 };
enum { ASK_NUMBER = 1 };
enum { DONE_BYTES = 1 };
_Static_assert(FIND_SIDE < WIRE_FINDING_FIRST, "tags ascend");

#endif /* !ANALYZER_DIFF_DIFF_WIRE_TAGS_H_ */
