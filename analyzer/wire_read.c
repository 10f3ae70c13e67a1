#include <string.h>

#include "analyzer/coverage.h"
#include "analyzer/policy.h"
#include "analyzer/wfield.h"
#include "analyzer/wire.h"
#include "analyzer/wire_tags.h"
#include "base/limits.h"

bool
wire_read_status(const struct frame *f, struct sandbox_status *ret)
{
	uint32_t abi;

	if (f->type != WIRE_STATUS ||
	    !wfield_bool(f, STATUS_SECCOMP, &ret->seccomp) ||
	    !frame_u32(f, STATUS_LANDLOCK, &abi) || abi > 1000 ||
	    !wfield_bool(f, STATUS_RLIMITS, &ret->rlimits))
		return false;
	ret->landlock_abi = (int)abi;
	return true;
}

bool
wire_read_begin(const struct frame *f, struct wire_begin *ret)
{
	return f->type == WIRE_BEGIN &&
	    frame_u32(f, BEGIN_INDEX, &ret->index) &&
	    frame_u32(f, BEGIN_PARENT, &ret->parent) &&
	    frame_u64(f, BEGIN_SIZE, &ret->size) &&
	    wfield_bytes(f, BEGIN_NAME, WIRE_NAME_MAX, &ret->name,
	    &ret->name_len);
}

static bool
read_detail(struct cursor *c, char key[33], struct detail *ret)
{
	uint8_t n, kind;
	uint32_t len;
	struct cursor text;

	if (!cursor_u8(c, &n) || n == 0 || n > 32 ||
	    !cursor_copy(c, (uint8_t *)key, n) || !cursor_u8(c, &kind))
		return false;
	key[n] = '\0';
	if (!finding_key_ok((const uint8_t *)key, n))
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->key = key;
	if (kind == 0)
		return cursor_u64le(c, &ret->num);
	if (kind != 1 || !cursor_u32le(c, &len) || len > LIMIT_RENDER ||
	    !cursor_sub(c, len, &text))
		return false;
	ret->text = len > 0 ? text.buf : (const uint8_t *)"";
	ret->len = len;
	return true;
}

static bool
read_details(struct cursor c, struct finding *ret,
    char keys[FINDING_DETAILS][33])
{
	ret->ndetails = 0;
	while (!cursor_at_end(&c)) {
		unsigned i = ret->ndetails;

		if (i == FINDING_DETAILS ||
		    !read_detail(&c, keys[i], &ret->details[i]))
			return false;
		ret->ndetails++;
	}
	return true;
}

bool
wire_get_finding(const struct frame *f, struct finding *ret,
    char keys[FINDING_DETAILS][33])
{
	uint32_t id, severity, confidence;

	if (!frame_u32(f, F_ID, &id) || id >= FINDING_COUNT ||
	    !frame_u32(f, F_SEVERITY, &severity) ||
	    severity >= SEVERITY_COUNT ||
	    !frame_u32(f, F_CONFIDENCE, &confidence) ||
	    confidence >= CONFIDENCE_COUNT ||
	    !frame_u64(f, F_OFF, &ret->off) ||
	    !frame_u64(f, F_LEN, &ret->len) ||
	    !frame_has(f, F_DETAIL))
		return false;
	ret->id = (enum finding_id)id;
	ret->severity = (enum severity)severity;
	ret->confidence = (enum confidence)confidence;
	return read_details(f->field[F_DETAIL], ret, keys);
}

bool
wire_read_finding(const struct frame *f, struct wire_finding *ret)
{
	return f->type == WIRE_FINDING &&
	    frame_u32(f, F_OBJECT, &ret->object) &&
	    wire_get_finding(f, &ret->f, ret->keys);
}

bool
wire_read_member(const struct frame *f, struct wire_member *ret)
{
	return f->type == WIRE_MEMBER &&
	    frame_u32(f, MEMBER_PARENT, &ret->parent) &&
	    wfield_bytes(f, MEMBER_NAME, WIRE_NAME_MAX, &ret->name,
	    &ret->name_len) &&
	    frame_u64(f, MEMBER_OFF, &ret->off) &&
	    frame_u64(f, MEMBER_SIZE, &ret->size) &&
	    wfield_bool(f, MEMBER_ISTAG, &ret->tag) &&
	    wfield_sha256(f, MEMBER_SHA256, &ret->has_sha256, ret->sha256);
}

bool
wire_read_ask(const struct frame *f, const uint8_t **name, size_t *n)
{
	return f->type == WIRE_ASK &&
	    wfield_bytes(f, ASK_NAME, WIRE_NAME_MAX, name, n) && *n > 0;
}

bool
wire_read_carve(const struct frame *f, struct wire_carve *ret)
{
	return f->type == WIRE_CARVE &&
	    frame_u32(f, CARVE_OBJECT, &ret->object) &&
	    frame_u64(f, CARVE_OFF, &ret->off) &&
	    wfield_bytes(f, CARVE_BYTES, WIRE_CARVE_MAX, &ret->p, &ret->n) &&
	    ret->n > 0;
}

static bool
read_format(const struct frame *f, char ret[WIRE_FORMAT_MAX + 1])
{
	const uint8_t *p;
	size_t n;

	if (!wfield_bytes(f, END_FORMAT, WIRE_FORMAT_MAX, &p, &n) || n == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || p[i] == '-' ||
		    p[i] == '_' || (p[i] >= '0' && p[i] <= '9')))
			return false;
	memcpy(ret, p, n);
	ret[n] = '\0';
	return true;
}

static bool
read_bare(struct cursor *c, struct coverage_sum *ret)
{
	struct coverage_bare *b = &ret->bare[ret->nbare];
	uint8_t padding;

	if (ret->nbare == LIMIT_COVER_LISTED || !cursor_u64le(c, &b->off) ||
	    !cursor_u64le(c, &b->len) || !cursor_u8(c, &padding) ||
	    padding > 1)
		return false;
	b->padding = padding != 0;
	ret->nbare++;
	return true;
}

static bool
read_cover(const struct frame *f, struct wire_end *ret,
    struct coverage_sum *cover)
{
	struct cursor c = f->field[END_COVER];

	ret->cover = NULL;
	if (!frame_has(f, END_COVER))
		return true;
	memset(cover, 0, sizeof(*cover));
	for (unsigned k = 0; k < COVERAGE_KINDS; k++)
		if (!cursor_u64le(&c, &cover->bytes[k]) ||
		    !cursor_u64le(&c, &cover->ranges[k]))
			return false;
	while (!cursor_at_end(&c))
		if (!read_bare(&c, cover))
			return false;
	ret->cover = cover;
	return true;
}

bool
wire_read_end(const struct frame *f, struct wire_end *ret,
    struct coverage_sum *cover)
{
	return f->type == WIRE_END && read_cover(f, ret, cover) &&
	    frame_u32(f, END_INDEX, &ret->index) &&
	    wfield_bool(f, END_COMPLETE, &ret->complete) &&
	    read_format(f, ret->format) &&
	    wfield_bytes(f, END_LABEL, WIRE_LABEL_MAX, &ret->label,
	    &ret->label_len) &&
	    wfield_sha256(f, END_SHA256, &ret->has_sha256, ret->sha256) &&
	    frame_u64(f, END_CALLS, &ret->calls) &&
	    frame_u64(f, END_TENSORS, &ret->tensors);
}

bool
wire_read_call(const struct frame *f, struct wire_call *ret)
{
	return f->type == WIRE_CALL &&
	    frame_u32(f, CALL_OBJECT, &ret->object) &&
	    frame_u32(f, CALL_CLASS, &ret->cls) &&
	    ret->cls <= POLICY_DANGEROUS &&
	    frame_u32(f, CALL_STREAM, &ret->stream) &&
	    frame_u32(f, CALL_FLAGS, &ret->flags) &&
	    frame_u64(f, CALL_OFF, &ret->off) &&
	    frame_u64(f, CALL_INDEX, &ret->index) &&
	    wfield_bytes(f, CALL_OPCODE, WIRE_FORMAT_MAX, &ret->opcode,
	    &ret->opcode_len) &&
	    wfield_bytes(f, CALL_CALLEE, LIMIT_RENDER, &ret->callee,
	    &ret->callee_len) &&
	    wfield_bytes(f, CALL_ARGS, LIMIT_RENDER, &ret->args,
	    &ret->args_len);
}
