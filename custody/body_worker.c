#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "custody/bag.h"
#include "custody/bagtext.h"
#include "custody/body_frames.h"
#include "custody/digest.h"
#include "custody/evidence_read.h"

/*
 * Method.  The walk of evidence_read.h goes over the stream: so a body is
 * held to every rule that a bundle is held to.  Content is passed on between
 * two steps of it.
 */
#define ARENA GIB		/* names: as evidence_write.c */
#define PIECE (128 * KIB)

struct reading {
	int out_fd;
	const struct bytesrc *src;
	struct evidence_walk *walk;
	struct digest *digest;
	uint64_t members, payload_bytes, header_mtime;
	uint8_t manifest[2][32];
	bool has_manifest[2];
	struct bagtext_body end;
	struct buf frame, agent;
	uint8_t piece[PIECE];
};

static int
refuse(const struct evidence_member *m, struct err *e, const char *why)
{
	return err_set(e, ERR_FORMAT, "%s at offset %llu", why,
	    (unsigned long long)m->header_offset);
}

static int
send_head(struct reading *r, const struct evidence_member *m, struct err *e)
{
	r->header_mtime = m->mtime;
	frame_begin(&r->frame, BODY_HEAD);
	frame_put_str(&r->frame, BODY_BAG, evidence_walk_bag(r->walk));
	frame_put_u64(&r->frame, BODY_MTIME, m->mtime);
	return frame_send(&r->frame, r->out_fd, e);
}

/* Each piece of the content, in order. */
static int
each_piece(struct reading *r, const struct evidence_member *m,
    int (*take)(struct reading *, const uint8_t *, size_t, struct err *),
    struct err *e)
{
	uint64_t off = 0;
	size_t n;
	int rc;

	for (; off < m->size; off += n) {
		n = m->size - off < PIECE ? (size_t)(m->size - off) : PIECE;
		if ((rc = bytesrc_read(r->src, m->data_offset + off, r->piece,
		    n, e)) < 0 || (rc = take(r, r->piece, n, e)) < 0)
			return rc;
	}
	return 0;
}

static int
send_piece(struct reading *r, const uint8_t *p, size_t n, struct err *e)
{
	frame_begin(&r->frame, BODY_DATA);
	frame_put(&r->frame, BODY_BYTES, p, n);
	return frame_send(&r->frame, r->out_fd, e);
}

static int
send_member(struct reading *r, const struct evidence_member *m,
    struct err *e)
{
	int rc;

	frame_begin(&r->frame, BODY_MEMBER);
	frame_put(&r->frame, BODY_NAME, m->name, m->name_len);
	frame_put_u64(&r->frame, BODY_SIZE, m->size);
	frame_put_u64(&r->frame, BODY_MTIME, m->mtime);
	if ((rc = frame_send(&r->frame, r->out_fd, e)) < 0 ||
	    (rc = each_piece(r, m, send_piece, e)) < 0)
		return rc;
	frame_begin(&r->frame, BODY_END);
	return frame_send(&r->frame, r->out_fd, e);
}

static int
hash_piece(struct reading *r, const uint8_t *p, size_t n, struct err *e)
{
	return digest_put(r->digest, p, n, e);
}

static int
take_manifest(struct reading *r, unsigned i, const struct evidence_member *m,
    struct err *e)
{
	struct digests d;
	int rc;

	if ((rc = digest_reset(r->digest, e)) < 0 ||
	    (rc = each_piece(r, m, hash_piece, e)) < 0 ||
	    (rc = digest_now(r->digest, &d, e)) < 0)
		return rc;
	memcpy(r->manifest[i], d.sha256, 32);
	r->has_manifest[i] = true;
	return 0;
}

/* A short text into ${b}. */
static int
take_text(struct reading *r, const struct evidence_member *m, struct buf *b,
    struct err *e)
{
	int rc;

	if (m->size > PIECE)
		return refuse(m, e, "a tag file is too long");
	if ((rc = bytesrc_read(r->src, m->data_offset, r->piece,
	    (size_t)m->size, e)) < 0)
		return rc;
	buf_clear(b);
	buf_put(b, r->piece, (size_t)m->size);
	return buf_failed(b) == 0 ? 0 : refuse(m, e,
	    "a tag file is too long");
}

/* The rest of bag-info.txt follows from the members. */
static int
take_info(struct reading *r, const struct evidence_member *m, struct err *e)
{
	struct bagtext_info i;
	struct buf given, again;
	int rc;

	buf_init(&given, LIMIT_TRAILER);
	buf_init(&again, LIMIT_TRAILER);
	if ((rc = take_text(r, m, &given, e)) < 0)
		goto out;
	if (!bagtext_info_read(given.p, given.len, &i)) {
		rc = refuse(m, e, "bag-info.txt is not that of a body");
		goto out;
	}
	i.external_id = evidence_walk_bag(r->walk);
	i.external_id_len = strlen(i.external_id);
	i.header_mtime = r->header_mtime;
	i.members = r->members;
	i.payload_bytes = r->payload_bytes;
	bagtext_info(&again, &i);
	buf_put(&r->agent, i.tool, i.tool_len);
	if (buf_failed(&again) != 0 || again.len != given.len ||
	    memcmp(again.p, given.p, given.len) != 0)
		rc = refuse(m, e, "bag-info.txt does not count right");
out:
	buf_release(&given);
	buf_release(&again);
	return rc;
}

static int
take_howto(struct reading *r, const struct evidence_member *m, struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, LIMIT_TRAILER);
	if ((rc = take_text(r, m, &b, e)) >= 0 &&
	    (b.len != strlen(bag_howto_txt) ||
	    memcmp(b.p, bag_howto_txt, b.len) != 0))
		rc = refuse(m, e, "HOW-TO-VERIFY.txt is that of another "
		    "version");
	buf_release(&b);
	return rc;
}

static int
take_end(struct reading *r, const struct evidence_member *m, struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, LIMIT_TRAILER);
	if ((rc = take_text(r, m, &b, e)) >= 0 &&
	    !bagtext_body_read(b.p, b.len, &r->end))
		rc = refuse(m, e, "body-end.txt is not that of a body");
	buf_release(&b);
	return rc;
}

static bool
starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static int
take_member(struct reading *r, const struct evidence_member *m,
    struct err *e)
{
	if (strcmp(m->name, BAG_BAGIT) == 0)
		return send_head(r, m, e);
	if (strcmp(m->name, BAG_HOWTO) == 0)
		return take_howto(r, m, e);
	if (strcmp(m->name, BAG_MANIFEST256) == 0)
		return take_manifest(r, 0, m, e);
	if (strcmp(m->name, BAG_MANIFEST512) == 0)
		return take_manifest(r, 1, m, e);
	if (strcmp(m->name, BAG_INFO) == 0)
		return take_info(r, m, e);
	if (strcmp(m->name, BAG_BODY) == 0)
		return take_end(r, m, e);
	if (starts(m->name, BAG_DATA)) {
		r->members++;
		r->payload_bytes += m->size;
	}
	return strcmp(m->name, BAG_KEEP) == 0 ? 0 : send_member(r, m, e);
}

static int
send_body(struct reading *r, struct err *e)
{
	frame_begin(&r->frame, BODY_BODY);
	frame_put(&r->frame, BODY_MANIFEST256, r->manifest[0], 32);
	if (r->has_manifest[1])
		frame_put(&r->frame, BODY_MANIFEST512, r->manifest[1], 32);
	frame_put(&r->frame, BODY_AGENT, r->agent.p, r->agent.len);
	frame_put_u64(&r->frame, BODY_LENGTH, r->end.records_len);
	frame_put(&r->frame, BODY_SHA256, r->end.records_sha256, 32);
	frame_put_u64(&r->frame, BODY_OBJECTS, r->end.objects);
	frame_put_u64(&r->frame, BODY_STORED, r->end.stored);
	frame_put_u64(&r->frame, BODY_CONTENT, r->end.bytes);
	frame_put_u64(&r->frame, BODY_ERRORS, r->end.errors);
	frame_put_u64(&r->frame, BODY_CHANGED, r->end.changed);
	frame_put_u64(&r->frame, BODY_DUPLICATES, r->end.duplicates);
	return frame_send(&r->frame, r->out_fd, e);
}

static int
read_members(struct reading *r, struct err *e)
{
	struct evidence_member m;
	int rc;

	while ((rc = evidence_walk_next(r->walk, &m, e)) > 0)
		if ((rc = take_member(r, &m, e)) < 0)
			return rc;
	return rc < 0 ? rc : send_body(r, e);
}

int
body_read(const struct bytesrc *src, int out_fd, struct err *e)
{
	struct arena *a = NULL;
	struct reading *r;
	int rc = ERR_NOMEM;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	buf_init(&r->frame, LIMIT_FRAME + FRAME_HEADER);
	buf_init(&r->agent, LIMIT_TRAILER);
	r->src = src;
	r->out_fd = out_fd;
	if ((r->digest = digest_new(DIGEST_SHA256, e)) == NULL ||
	    (a = arena_new(ARENA)) == NULL)
		(void)err_set(e, ERR_NOMEM, "out of memory");
	else if ((rc = evidence_walk_body(src, a, &r->walk, e)) >= 0)
		rc = read_members(r, e);
	digest_free(r->digest);
	buf_release(&r->frame);
	buf_release(&r->agent);
	arena_free(a);
	free(r);
	return rc;
}

static int
send_failed(int out_fd, const struct err *why)
{
	struct buf b;
	int r;

	buf_init(&b, 4096);
	frame_begin(&b, BODY_FAILED);
	frame_put_str(&b, BODY_TEXT, why->msg);
	r = frame_send(&b, out_fd, NULL);
	buf_release(&b);
	return r < 0;
}

int
body_worker(void *arg, int out_fd)
{
	const struct body_job *j = arg;
	const struct sandbox_policy policy = {.out_fd = {out_fd, -1},
	    .max_as = LIMIT_WORKER_AS};
	struct sandbox_status st;
	struct bytesrc *src;
	struct err e = ERR_INIT;
	int rc = ERR_NOMEM;

	if ((src = bytesrc_stream(j->fd, &e)) != NULL &&
	    (rc = digest_start(&e)) >= 0 &&
	    (rc = sandbox_enter(&policy, &st, &e)) >= 0)
		rc = body_read(src, out_fd, &e);
	bytesrc_free(src);
	return rc < 0 ? send_failed(out_fd, &e) : 0;
}
