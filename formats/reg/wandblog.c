#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/codec.h"
#include "formats/reg/wandb.h"

/*
 * The log of a run (wandb core/pkg/leveldb/record.go): seven bytes, then
 * LevelDB's log in blocks of 32 KiB counted from the start of the file.
 *
 *	":W&B"  0xE1 0xBE  version 0
 *	chunk: crc32 (4, little endian)  length (2)  type (1)  payload
 *	type 1: a whole record, 2 its first part, 3 a middle one, 4 the last
 *
 * The CRC is the plain one of zlib over type and payload, not LevelDB's.  Less
 * than seven bytes at the end of a block are filler.  A log whose writer died
 * ends in the middle; one whose CRC is wrong was changed or is damaged.
 */
#define BLOCK (32 * KIB)
#define HEAD 7
#define RECORD_MAX (16 * MIB)

struct chunk {
	uint64_t off;
	uint32_t crc;
	uint16_t len;
	uint8_t type;
	uint8_t bytes[BLOCK];
};

struct log {
	struct wandb *w;
	const struct reg_file *f;
	struct reader r;
	struct buf record;
	uint64_t off;		/* of the record's first chunk */
	bool open;		/* a first part came, and no last one */
};

/* 0, 1: the log does not go on (told), or negative. */
static int
take_chunk(struct log *l, struct chunk *c)
{
	struct reg_parse *p = l->w->p;
	uint8_t head[HEAD];
	struct cursor k;
	uint64_t room;
	uint32_t crc;
	int r;

	c->off = reader_tell(&l->r);
	room = BLOCK - c->off % BLOCK;
	if (room < HEAD) {
		if (reader_left(&l->r) < room)
			return reg_bad(p, l->f, c->off, "it ends early");
		if ((r = reader_skip(&l->r, room, p->e)) < 0)
			return r;
		c->off += room;
		room = BLOCK;
	}
	if (reader_left(&l->r) < HEAD)
		return reg_bad(p, l->f, c->off, "it ends early");
	if ((r = reader_copy(&l->r, head, HEAD, p->e)) < 0)
		return r;
	cursor_init(&k, head, HEAD, c->off);
	if (!cursor_u32le(&k, &c->crc) || !cursor_u16le(&k, &c->len) ||
	    !cursor_u8(&k, &c->type) || c->len > room - HEAD ||
	    c->type < 1 || c->type > 4)
		return reg_bad(p, l->f, c->off, "not a chunk");
	if (c->len > reader_left(&l->r))
		return reg_bad(p, l->f, c->off, "it ends early");
	if ((r = reader_copy(&l->r, c->bytes, c->len, p->e)) < 0)
		return r;
	/* Type and payload lie one behind the other in the file, too. */
	if ((r = codec_crc(l->r.src, c->off + HEAD - 1, c->len + 1u, &crc,
	    p->e)) < 0)
		return r;
	return crc != c->crc ? reg_bad(p, l->f, c->off,
	    "a checksum is wrong") : 0;
}

static int
add_chunk(struct log *l, const struct chunk *c)
{
	struct reg_parse *p = l->w->p;
	bool first = c->type == 1 || c->type == 2;
	int r;

	if (first == l->open) {
		r = reg_bad(p, l->f, c->off, "parts of records are mixed");
		if (r < 0 || !first)
			return r < 0 ? r : 0;
	}
	if (first) {
		buf_clear(&l->record);
		l->off = c->off;
	}
	l->open = c->type == 2 || c->type == 3;
	buf_put(&l->record, c->bytes, c->len);
	if (l->open)
		return 0;
	if (buf_failed(&l->record) < 0) {
		r = reg_bad(p, l->f, l->off, "a record is too long");
		return r < 0 ? r : 0;
	}
	return wandb_record(l->w, l->record.p, l->record.len, l->off);
}

static int
read_chunks(struct log *l, struct chunk *c)
{
	struct reg_parse *p = l->w->p;
	uint8_t head[HEAD];
	int r;

	if (reader_left(&l->r) < HEAD)
		return reg_bad(p, l->f, 0, "it ends early");
	if ((r = reader_copy(&l->r, head, HEAD, p->e)) < 0)
		return r;
	if (memcmp(head, ":W&B\xe1\xbe", 6) != 0)
		return reg_bad(p, l->f, 0, "not a log of W&B");
	while (reader_left(&l->r) > 0 && r == 0)
		if ((r = take_chunk(l, c)) == 0)
			r = add_chunk(l, c);
	if (r == 0 && l->open)
		r = reg_bad(p, l->f, l->off, "a record has no end");
	return r;
}

int
wandb_log(struct wandb *w, const struct reg_file *f)
{
	struct log l = {.w = w, .f = f};
	struct bytesrc *src = NULL;
	struct chunk *c;
	int r;

	if ((r = reg_open(w->p, f, &src)) != 0)
		return r;
	buf_init(&l.record, RECORD_MAX);
	if ((c = arena_alloc(w->p->arena, sizeof(*c))) == NULL)
		r = err_set(w->p->e, ERR_NOMEM, "out of memory");
	else if ((r = reader_init(&l.r, src, 0, 0, w->p->arena,
	    w->p->e)) >= 0)
		r = read_chunks(&l, c);
	if (r == ERR_TRUNC || r == ERR_IO) {
		err_reset(w->p->e);
		r = reg_bad(w->p, f, reader_tell(&l.r), "it ends early");
	}
	buf_release(&l.record);
	bytesrc_free(src);
	return r;
}
