#ifndef ANALYZER_WIRE_TAGS_H_
#define ANALYZER_WIRE_TAGS_H_

#include "analyzer/wire.h"

/*
 * Tags of fields, for wire_send.c and wire_read.c alone.  Frames demand
 * ascending order.  A detail of a finding is written in one field as a run of
 *
 *   u8 key length, key, u8 kind (0 number, 1 text),
 *   kind 0: u64le        kind 1: u32le length, bytes
 */
enum { STATUS_SECCOMP = 1, STATUS_LANDLOCK, STATUS_RLIMITS };
enum { BEGIN_INDEX = 1, BEGIN_PARENT, BEGIN_NAME, BEGIN_SIZE };
enum {
	F_OBJECT = 1,
	F_ID,
	F_SEVERITY,
	F_CONFIDENCE,
	F_OFF,
	F_LEN,
	F_DETAIL
};
_Static_assert(F_ID == WIRE_FINDING_FIRST && F_DETAIL == WIRE_FINDING_LAST,
    "the tags that wire.h promises");
enum {
	MEMBER_PARENT = 1,
	MEMBER_NAME,
	MEMBER_OFF,
	MEMBER_SIZE,
	MEMBER_ISTAG,
	MEMBER_SHA256
};
enum { ASK_NAME = 1 };
enum { CARVE_OBJECT = 1, CARVE_OFF, CARVE_BYTES };
enum { END_INDEX = 1, END_COMPLETE, END_FORMAT, END_LABEL, END_SHA256,
	END_CALLS, END_TENSORS, END_COVER };
enum {
	CALL_OBJECT = 1,
	CALL_CLASS,
	CALL_STREAM,
	CALL_FLAGS,
	CALL_OFF,
	CALL_INDEX,
	CALL_OPCODE,
	CALL_CALLEE,
	CALL_ARGS
};

#endif /* !ANALYZER_WIRE_TAGS_H_ */
