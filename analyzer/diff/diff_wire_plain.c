#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/diff_wire_tags.h"
#include "analyzer/wfield.h"
#include "analyzer/wire.h"

/* The gate for frames that hold no row. */

bool
diff_wire_read_status(const struct frame *f, struct sandbox_status *ret)
{
	uint32_t abi;

	if (f->type != DIFF_FRAME_STATUS ||
	    !wfield_bool(f, ST_SECCOMP, &ret->seccomp) ||
	    !frame_u32(f, ST_LANDLOCK, &abi) || abi > 1000 ||
	    !wfield_bool(f, ST_RLIMITS, &ret->rlimits))
		return false;
	ret->landlock_abi = (int)abi;
	return true;
}

bool
diff_wire_read_ask(const struct frame *f, uint32_t *number)
{
	return f->type == DIFF_FRAME_ASK && frame_u32(f, ASK_NUMBER, number);
}

bool
diff_wire_read_progress(const struct frame *f, uint64_t *done,
    uint64_t *total)
{
	return f->type == DIFF_FRAME_PROGRESS &&
	    frame_u64(f, PROGRESS_DONE, done) &&
	    frame_u64(f, PROGRESS_TOTAL, total) && *done <= *total;
}

bool
diff_wire_read_skip(struct diff_wire_in *in, const struct frame *f,
    const char **what, const char **why)
{
	if (f->type != DIFF_FRAME_SKIP ||
	    !wfield_own(f, SKIP_WHAT, DIFF_WIRE_WORDS, in->words[0]) ||
	    !wfield_own(f, SKIP_WHY, DIFF_WIRE_WORDS, in->words[1]))
		return false;
	*what = in->words[0];
	*why = in->words[1];
	return true;
}

bool
diff_wire_read_carve(const struct frame *f, struct wire_carve *ret)
{
	const struct cursor *c = &f->field[PIECE_BYTES];

	if (f->type != DIFF_FRAME_CARVE || !frame_has(f, PIECE_BYTES) ||
	    c->len == 0 || c->len > WIRE_CARVE_MAX)
		return false;
	*ret = (struct wire_carve){.p = c->buf, .n = c->len};
	return true;
}

bool
diff_wire_read_done(const struct frame *f, uint64_t *bytes)
{
	return f->type == DIFF_FRAME_DONE && frame_u64(f, DONE_BYTES, bytes);
}
