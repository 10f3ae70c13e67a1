#ifndef CUSTODY_SLICEWIRE_H_
#define CUSTODY_SLICEWIRE_H_

#include <stdint.h>

#include "base/fields.h"

/*
 * What who takes a slice of a data set, or checks one, and the fenced worker
 * that reads the data set must agree on.  Read side.
 *
 * The worker is started before keys are loaded and waits on a socket for
 * struct slicewire_go, which comes with a descriptor of the job, and for a
 * check with one of the bundle.  The job, all numbers little-endian:
 *
 *	u32 length, specification
 *	u32 count, for each file of ids: u64 length, its bytes
 *	u32 count, for each file of the data set, in byte order of the names:
 *	    u64 size, u32 length, name below the data set's root
 *
 * It asks for the descriptors of the files by number, one at a time
 * (SLICE_ASK), and gets struct slicewire_answer, with the descriptor when
 * the file could be opened.
 */
struct slicewire_go {
	uint64_t job_size, bundle_size;
	uint32_t check;		/* 1: slices of the bundle are checked */
	uint32_t pad;
};

struct slicewire_answer {
	uint32_t file, open;
};

enum slicewire_type {
	SLICE_ASK = 1,
	SLICE_FORMAT,		/* once, before any record */
	SLICE_FIELD,		/* a column's name and type */
	SLICE_TAKEN,
	SLICE_DATA,		/* bytes of the record taken last */
	SLICE_UNDECIDED,
	SLICE_TOLD,		/* something is wrong with the data set */
	SLICE_END,		/* last */
	SLICE_CHECKED,		/* what the check of one slice came to */
};

/* Where the bytes of a record are. */
enum slicewire_how {
	SLICE_VERBATIM,		/* in the file, at off and len */
	SLICE_UNPACKED,		/* SLICE_DATA, of the decompressed file */
	SLICE_ROW,		/* SLICE_DATA, as a line of JSON */
	SLICE_NOTHING,		/* it cannot be parsed, and is no bytes */
	SLICE_HOWS
};

#define SLICE_CHUNK 65536	/* of SLICE_DATA */
#define SLICE_TEXT 512		/* of texts; longer ones are cut */

enum { SLICE_A_FILE, SLICE_A_COLUMNS };
enum { SLICE_F_FORMAT, SLICE_F_LINES, SLICE_F_COLUMNS };
enum { SLICE_C_NAME, SLICE_C_TYPE, SLICE_C_COLUMNS };
/* SIZE is of the SLICE_DATA that follows. */
enum { SLICE_T_INDEX, SLICE_T_FILE, SLICE_T_OFF, SLICE_T_LEN, SLICE_T_HOW,
	SLICE_T_DAMAGED, SLICE_T_SIZE, SLICE_T_COLUMNS };
enum { SLICE_D_BYTES, SLICE_D_COLUMNS };
enum { SLICE_P_FILE, SLICE_P_OFF, SLICE_P_WHAT, SLICE_P_COLUMNS };
/* BROKEN: files that ended before their end; REACHED: the last record. */
enum { SLICE_E_SEEN, SLICE_E_TAKEN, SLICE_E_UNDECIDED, SLICE_E_DAMAGED,
	SLICE_E_BROKEN, SLICE_E_REACHED, SLICE_E_COLUMNS };
enum { SLICE_K_SLICE, SLICE_K_SOURCE, SLICE_K_HOLDS, SLICE_K_RECORDS,
	SLICE_K_REASON, SLICE_K_COLUMNS };

extern const struct field_def slicewire_ask[SLICE_A_COLUMNS];
extern const struct field_def slicewire_format[SLICE_F_COLUMNS];
extern const struct field_def slicewire_field[SLICE_C_COLUMNS];
extern const struct field_def slicewire_taken[SLICE_T_COLUMNS];
extern const struct field_def slicewire_data[SLICE_D_COLUMNS];
extern const struct field_def slicewire_told[SLICE_P_COLUMNS];
extern const struct field_def slicewire_end[SLICE_E_COLUMNS];
extern const struct field_def slicewire_checked[SLICE_K_COLUMNS];

#endif /* !CUSTODY_SLICEWIRE_H_ */
