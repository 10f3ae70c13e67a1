#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/proc.h"
#include "base/text.h"
#include "collector/intake.h"
#include "collector/run.h"
#include "collector/transport.h"
#include "custody/bag.h"
#include "custody/bagtext.h"
#include "custody/body_frames.h"
#include "custody/evidence_write.h"

/*
 * The parent's side of a body.  A worker that was taken over by what it read
 * can send any frames: so their order and sizes are checked here, names are
 * checked again by the writer, and what results is compared with digests
 * that were stated over there.  It could still make up a whole body; but so
 * could the machine that it comes from, and the seal says no more than that
 * these bytes came from there.
 */
#define DERIVED "metadata/derived/"
#define ACQUISITION_MAX (16 * MIB)	/* facts.c writes no more */

enum state {
	AT_START,
	AT_ACQUISITION,		/* HEAD came */
	AT_PAYLOAD,
	AT_RECORDS,
	IN_MEMBER,
	AT_END,
};

struct receiving {
	const struct collect_options *o;
	const struct receive *p;
	struct evidence_writer *w;
	struct collect_totals totals;
	enum state state, next;		/* next: behind the member */
	uint64_t left;			/* of the member */
	uint64_t members;
	char name[LIMIT_MEMBER_NAME + 1];
	struct buf acquisition;
	/* Its files.jsonl once more, for who makes sense of the members. */
	struct collect c;
	uint8_t *body;			/* of a frame */
	struct err *e;
};

static int
misbehaved(struct receiving *r)
{
	proc_kill(r->p->worker);
	return err_set(r->e, ERR_CHILD, "the process that reads the stream "
	    "sent what no such process sends");
}

static int
refused(struct receiving *r, const char *why)
{
	return err_set(r->e, ERR_VERIFY, "what came from '%.64s' is refused: "
	    "%s", r->p->t->from, why);
}

static bool
starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* Bytes of a field as a string of ours; false when they cannot be one. */
static bool
take_string(const struct frame *f, uint8_t tag, char *dst, size_t cap)
{
	size_t n;

	if (!frame_has(f, tag) || (n = f->field[tag].len) == 0 || n >= cap ||
	    memchr(f->field[tag].buf, '\0', n) != NULL)
		return false;
	memcpy(dst, f->field[tag].buf, n);
	dst[n] = '\0';
	return true;
}

static int
take_head(struct receiving *r, const struct frame *f)
{
	char bag[66];
	uint64_t mtime;

	if (r->state != AT_START ||
	    !take_string(f, BODY_BAG, bag, sizeof(bag)) ||
	    !frame_u64(f, BODY_MTIME, &mtime))
		return misbehaved(r);
	if (strcmp(bag, r->o->bag) != 0)
		return refused(r, "it is another bundle's");
	if (mtime != r->o->header_time)
		return refused(r, "it has another time than was asked for");
	r->state = AT_ACQUISITION;
	return 0;
}

/* Which member may come now, and what comes behind it? */
static int
place_member(struct receiving *r)
{
	if (r->state == AT_ACQUISITION) {
		r->next = AT_PAYLOAD;
		return strcmp(r->name, BAG_ACQUISITION) == 0 &&
		    r->left <= ACQUISITION_MAX ? 0 : misbehaved(r);
	}
	if (r->state == AT_PAYLOAD && starts(r->name, BAG_DATA)) {
		r->next = AT_PAYLOAD;
		return 0;
	}
	if (r->state != AT_PAYLOAD && r->state != AT_RECORDS)
		return misbehaved(r);
	if (!starts(r->name, "metadata/") ||
	    strcmp(r->name, BAG_ACQUISITION) == 0)
		return misbehaved(r);
	if (starts(r->name, BAG_PKI) || starts(r->name, DERIVED) ||
	    strcmp(r->name, BAG_TRANSPORT) == 0)
		return refused(r, "it has a file that the sealing side "
		    "writes");
	r->next = AT_RECORDS;
	return 0;
}

/* The class of a payload member: kinds of interpretation go by it. */
static void
note_class(struct receiving *r)
{
	enum bag_class class;

	if (bag_member_class(r->name, strlen(r->name), &class))
		r->c.classes |= 1U << class;
}

static int
take_member(struct receiving *r, const struct frame *f)
{
	uint64_t mtime;
	int rc;

	if (!take_string(f, BODY_NAME, r->name, sizeof(r->name)) ||
	    !frame_u64(f, BODY_SIZE, &r->left) ||
	    !frame_u64(f, BODY_MTIME, &mtime) || mtime > INT64_MAX)
		return misbehaved(r);
	if ((rc = place_member(r)) < 0)
		return rc;
	r->state = IN_MEMBER;
	r->members++;
	if (r->next == AT_RECORDS)
		return evidence_tag_begin(r->w, r->name, r->left, r->e);
	if (!starts(r->name, BAG_DATA))
		return 0;	/* acquisition.json waits for its end */
	note_class(r);
	return evidence_begin(r->w, r->name, r->left, (int64_t)mtime, r->e);
}

static void
show(struct receiving *r)
{
	struct collect_totals so_far = {.objects = r->members,
	    .stored = r->members, .bytes = evidence_written(r->w)};

	if (r->o->progress != NULL)
		r->o->progress(r->o->progress_ctx, &so_far, r->name);
}

static int
take_data(struct receiving *r, const struct frame *f)
{
	const struct cursor *c = &f->field[BODY_BYTES];
	int rc;

	if (r->state != IN_MEMBER || !frame_has(f, BODY_BYTES) ||
	    c->len > r->left)
		return misbehaved(r);
	r->left -= c->len;
	show(r);
	if (strcmp(r->name, BAG_FILES) == 0 &&
	    (rc = fsio_write_all(r->c.files.fd, c->buf, c->len, r->e)) < 0)
		return rc;
	if (r->next == AT_RECORDS)
		return evidence_tag_put(r->w, c->buf, c->len, r->e);
	if (starts(r->name, BAG_DATA))
		return evidence_put(r->w, c->buf, c->len, r->e);
	buf_put(&r->acquisition, c->buf, c->len);
	return buf_failed(&r->acquisition) == 0 ? 0 :
	    err_set(r->e, ERR_NOMEM, "out of memory");
}

static int
take_end(struct receiving *r)
{
	struct evidence_place place;
	uint64_t short_by;

	if (r->state != IN_MEMBER || r->left > 0)
		return misbehaved(r);
	r->state = r->next;
	if (r->next == AT_RECORDS)
		return evidence_tag_end(r->w, r->name, r->e);
	if (starts(r->name, BAG_DATA))
		return evidence_end(r->w, &place, &short_by, r->e);
	return evidence_tag(r->w, BAG_ACQUISITION, r->acquisition.p,
	    r->acquisition.len, r->e);
}

static const uint8_t *
digest_field(const struct frame *f, uint8_t tag)
{
	return frame_has(f, tag) && f->field[tag].len == 32 ?
	    f->field[tag].buf : NULL;
}

/* Are these the bytes that were written over there? */
static int
compare(struct receiving *r, const struct frame *f)
{
	const uint8_t *m256 = digest_field(f, BODY_MANIFEST256);
	const uint8_t *m512 = digest_field(f, BODY_MANIFEST512);
	const uint8_t *all = digest_field(f, BODY_SHA256);
	bool both = (r->o->digests & DIGEST_SHA512) != 0;
	struct transport *t = r->p->t;
	struct evidence_state now;
	int rc;

	if (m256 == NULL || all == NULL ||
	    !frame_u64(f, BODY_LENGTH, &t->records_len))
		return misbehaved(r);
	if ((rc = evidence_so_far(r->w, &now, r->e)) < 0)
		return rc;
	if (t->records_len != now.size || memcmp(all, now.sha256, 32) != 0)
		return refused(r, "its end states another digest than its "
		    "bytes have");
	if (memcmp(m256, now.manifest[0], 32) != 0 ||
	    (both && (m512 == NULL ||
	    memcmp(m512, now.manifest[1], 32) != 0)) ||
	    (!both && m512 != NULL))
		return refused(r, "its manifest is not that of its members");
	memcpy(t->records_sha256, all, 32);
	return 0;
}

static int
take_body(struct receiving *r, const struct frame *f)
{
	struct collect_totals *n = &r->totals;
	struct transport *t = r->p->t;
	size_t used;

	if ((r->state != AT_PAYLOAD && r->state != AT_RECORDS) ||
	    !frame_has(f, BODY_AGENT) ||
	    !frame_u64(f, BODY_OBJECTS, &n->objects) ||
	    !frame_u64(f, BODY_STORED, &n->stored) ||
	    !frame_u64(f, BODY_CONTENT, &n->bytes) ||
	    !frame_u64(f, BODY_ERRORS, &n->errors) ||
	    !frame_u64(f, BODY_CHANGED, &n->changed) ||
	    !frame_u64(f, BODY_DUPLICATES, &n->duplicates))
		return misbehaved(r);
	used = text_printable(t->agent, sizeof(t->agent) - 1,
	    f->field[BODY_AGENT].buf, f->field[BODY_AGENT].len, TEXT_PLAIN,
	    &used);
	t->agent[used] = '\0';
	r->state = AT_END;
	return compare(r, f);
}

static int
take_failed(struct receiving *r, const struct frame *f)
{
	char shown[200];

	if (!frame_has(f, BODY_TEXT))
		return misbehaved(r);
	return refused(r, text_z(shown, sizeof(shown),
	    (const char *)f->field[BODY_TEXT].buf, f->field[BODY_TEXT].len));
}

static int
take_frame(struct receiving *r, uint8_t type, size_t n)
{
	struct frame f;

	if (r->state == AT_END || !frame_parse(&f, type, r->body, n))
		return misbehaved(r);
	switch (type) {
	case BODY_HEAD:
		return take_head(r, &f);
	case BODY_MEMBER:
		return take_member(r, &f);
	case BODY_DATA:
		return take_data(r, &f);
	case BODY_END:
		return take_end(r);
	case BODY_BODY:
		return take_body(r, &f);
	case BODY_FAILED:
		return take_failed(r, &f);
	default:
		return misbehaved(r);
	}
}

static int
take_all(struct receiving *r)
{
	struct proc *p = r->p->worker;
	int rc, got, status;
	uint8_t type;
	size_t n;

	while ((got = proc_frame(p, &type, r->body, LIMIT_FRAME, &n,
	    r->e)) > 0)
		if ((rc = take_frame(r, type, n)) < 0)
			return rc;
	if (got < 0)
		return got;
	if (r->state != AT_END || proc_wait(p, &status) != PROC_EXITED ||
	    status != 0)
		return err_set(r->e, ERR_CHILD, "the process that reads the "
		    "stream ended without a result");
	return 0;
}

/* What its members mean; then what is known about the way. */
static int
end(struct receiving *r)
{
	const struct receive *p = r->p;
	int rc;

	if (r->o->intake != NULL &&
	    (rc = intake_run(r->o->intake, &r->c)) < 0)
		return rc;
	r->totals.errors += r->c.totals.errors;
	return transport_store(p->t, r->o, &r->totals, r->w, r->e);
}

int
receive_body(void *receive, const struct collect_options *o,
    struct evidence_writer *w, struct collect_totals *ret, struct err *e)
{
	const struct receive *p = receive;
	struct receiving *r;
	int rc;

	if ((r = calloc(1, sizeof(*r))) == NULL ||
	    (r->body = malloc(LIMIT_FRAME)) == NULL) {
		free(r);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	r->o = o;
	r->p = p;
	r->w = w;
	r->e = e;
	r->c = (struct collect){.o = o, .w = w, .e = e, .received = true,
	    .began_real_ns = clock_real_ns()};
	buf_init(&r->acquisition, ACQUISITION_MAX);
	if ((rc = record_open(&r->c.files, e)) >= 0 &&
	    (rc = take_all(r)) >= 0 &&
	    (rc = pump_end(p->pump, &p->t->stream_size, p->t->stream_sha256,
	    e)) >= 0 && (p->ended == NULL ||
	    (rc = p->ended(p->ctx, p->t, e)) >= 0) &&
	    (rc = end(r)) >= 0)
		*ret = r->totals;
	record_close(&r->c.files);
	buf_release(&r->acquisition);
	free(r->body);
	free(r);
	return rc;
}
