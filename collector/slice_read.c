#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/frame.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "collector/slice_parts.h"
#include "custody/digest.h"
#include "custody/spool.h"

/*
 * What the worker says of a data set, as from an enemy: records ascend,
 * ranges lie inside of their file and do not overlap, bytes come as many as
 * were announced, and at the end the counts agree.  ERR_FORMAT: it lied; it
 * is ended, and what it had said stands.
 */
ssize_t
slice_pread(int fd, uint64_t off, uint8_t *dst, size_t n)
{
	size_t have = 0;
	ssize_t r;

	while (have < n) {
		r = pread(fd, dst + have, n - have, (off_t)(off + have));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return have > 0 ? (ssize_t)have : -1;
		if (r == 0)
			break;
		have += (size_t)r;
	}
	return (ssize_t)have;
}

int
slice_fd(struct slice *s, size_t i)
{
	if (s->fd >= 0 && s->file == i)
		return s->fd;
	if (s->fd >= 0)
		(void)close(s->fd);
	s->file = i;
	return s->fd = dataset_fd(&s->d, i);
}

static int
answer(struct slice *s, const struct field *v)
{
	struct buf path;
	int errnum, r;

	r = dataset_answer(&s->d, s->one->sock, v[SLICE_A_FILE].u, &errnum);
	if (r == ERR_CHILD)
		return ERR_FORMAT;	/* it is gone; its end says why */
	if (errnum == 0)
		return r;
	buf_init(&path, 2 * LIMIT_PATH);
	dataset_path(&s->d, (size_t)v[SLICE_A_FILE].u, &path);
	r = record_error(s->c, buf_str(&path), "cannot open", errnum);
	buf_release(&path);
	return r;
}

static int
format(struct slice *s, const struct field *v)
{
	const struct field *f = &v[SLICE_F_FORMAT];

	if (s->has_format || !f->set || f->n >= sizeof(s->format))
		return ERR_FORMAT;
	memcpy(s->format, f->p, f->n);
	s->has_format = true;
	s->lines = v[SLICE_F_LINES].u != 0;
	return 0;
}

/* One more element of a list, while there is room for it. */
static void
element(struct buf *list, uint64_t *count, uint64_t max,
    const struct field_def *d, unsigned n, const struct field *v)
{
	struct json_write w;
	struct buf b;

	if ((*count)++ >= max)
		return;
	buf_init(&b, 16 * KIB);
	json_init(&w, &b, JSON_COMPACT);
	json_begin_object(&w);
	fields_json(&w, d, n, v);
	json_end_object(&w);
	if (buf_failed(&b) == 0 && b.len + 1 < list->max - list->len) {
		if (list->len > 0)
			buf_putc(list, ',');
		buf_put(list, b.p, b.len);
	}
	buf_release(&b);
}

/* A line feed behind a record of a format of lines goes with it. */
static uint64_t
line_end(struct slice *s, const struct slice_entry *en)
{
	uint64_t off = en->off + en->len;
	uint8_t end = 0;
	int fd;

	/* What cannot be read the copy will say. */
	return s->lines && off < s->d.v[en->file].size &&
	    (fd = slice_fd(s, (size_t)en->file)) >= 0 &&
	    slice_pread(fd, off, &end, 1) == 1 && end == '\n';
}

static bool
place_ok(const struct slice *s, const struct slice_entry *en, uint64_t size)
{
	const struct dataset_file *f;

	if (en->how >= SLICE_HOWS || en->file >= s->d.n ||
	    (s->any && en->index < s->next_index))
		return false;
	f = &s->d.v[en->file];
	switch ((enum slicewire_how)en->how) {
	case SLICE_VERBATIM:
		return size == 0 && en->off <= f->size &&
		    en->len <= f->size - en->off &&
		    (!s->any || en->file > s->last_file ||
		    (en->file == s->last_file && en->off >= s->last_end));
	case SLICE_UNPACKED:
		return size >= en->len && size - en->len <= 1;
	case SLICE_ROW:
		return size > 0 && size <= LIMIT_SLICE_ROW;
	case SLICE_NOTHING:
		return size == 0;
	case SLICE_HOWS:
		break;
	}
	return false;
}

/* The record is whole. */
static int
finish(struct slice *s)
{
	struct slice_entry *en = &s->now;
	struct digests d;
	int r;

	if (en->how == SLICE_ROW || en->how == SLICE_UNPACKED) {
		if ((r = digest_now(s->digest, &d, s->c->e)) < 0)
			return r;
		memcpy(en->sha256, d.sha256, 32);
	}
	if (en->how == SLICE_ROW) {
		if ((r = spool_put(s->bytes[SLICE_ROW], "\n", 1, s->c->e)) <
		    0)
			return r;
		en->stored++;
	}
	s->total[en->how] += en->stored;
	s->count++;
	return spool_put(s->entries, en, sizeof(*en), s->c->e);
}

static int
taken(struct slice *s, const struct field *v)
{
	struct slice_entry en = {.index = v[SLICE_T_INDEX].u,
	    .file = v[SLICE_T_FILE].u, .off = v[SLICE_T_OFF].u,
	    .len = v[SLICE_T_LEN].u, .damaged = v[SLICE_T_DAMAGED].u != 0};
	uint64_t size = v[SLICE_T_SIZE].u;
	int r;

	if (!s->has_format || s->left > 0 || v[SLICE_T_HOW].u >= SLICE_HOWS)
		return ERR_FORMAT;
	en.how = (uint32_t)v[SLICE_T_HOW].u;
	if (!place_ok(s, &en, size))
		return ERR_FORMAT;
	en.at = s->total[en.how];
	en.stored = size;
	if (en.how == SLICE_VERBATIM) {
		en.stored = en.len + line_end(s, &en);
		s->last_file = en.file;
		s->last_end = en.off + en.len;
	}
	s->any = true;
	s->next_index = en.index + 1;
	s->now = en;
	s->left = size;
	s->digested = 0;
	r = digest_reset(s->digest, s->c->e);
	return r < 0 || size > 0 ? r : finish(s);
}

static int
data(struct slice *s, const struct field *v)
{
	const struct field *f = &v[SLICE_D_BYTES];
	uint64_t want = s->now.how == SLICE_UNPACKED ? s->now.len :
	    s->now.stored;
	size_t n;
	int r;

	if (!f->set || f->n == 0 || f->n > s->left)
		return ERR_FORMAT;
	/* The end of a line is no part of the record. */
	n = want - s->digested < f->n ? (size_t)(want - s->digested) : f->n;
	if ((r = digest_put(s->digest, f->p, n, s->c->e)) < 0 ||
	    (r = spool_put(s->bytes[s->now.how], f->p, f->n, s->c->e)) < 0)
		return r;
	s->digested += n;
	s->left -= f->n;
	return s->left > 0 ? 0 : finish(s);
}

static int
end(struct slice *s, const struct field *v)
{
	for (unsigned i = 0; i < SLICE_E_COLUMNS; i++)
		s->end[i] = v[i].u;
	if (s->left > 0 || s->end[SLICE_E_TAKEN] != s->count ||
	    s->end[SLICE_E_UNDECIDED] != s->nundecided ||
	    s->end[SLICE_E_SEEN] < s->count ||
	    s->end[SLICE_E_SEEN] - s->count < s->nundecided)
		return ERR_FORMAT;
	s->ended = true;
	return 0;
}

static int
dispatch(struct slice *s, const struct frame *f)
{
	static const struct {
		const struct field_def *d;
		unsigned n;
	} table[] = {[SLICE_ASK] = {slicewire_ask, SLICE_A_COLUMNS},
	    [SLICE_FORMAT] = {slicewire_format, SLICE_F_COLUMNS},
	    [SLICE_FIELD] = {slicewire_field, SLICE_C_COLUMNS},
	    [SLICE_TAKEN] = {slicewire_taken, SLICE_T_COLUMNS},
	    [SLICE_DATA] = {slicewire_data, SLICE_D_COLUMNS},
	    [SLICE_UNDECIDED] = {slicewire_taken, SLICE_T_COLUMNS},
	    [SLICE_TOLD] = {slicewire_told, SLICE_P_COLUMNS},
	    [SLICE_END] = {slicewire_end, SLICE_E_COLUMNS}};
	struct field v[FRAME_TAGS];

	if (s->ended || f->type == 0 || f->type > SLICE_END ||
	    !fields_get(f, table[f->type].d, table[f->type].n, v, NULL, 0))
		return ERR_FORMAT;
	switch ((enum slicewire_type)f->type) {
	case SLICE_ASK:
		return answer(s, v);
	case SLICE_FORMAT:
		return format(s, v);
	case SLICE_FIELD:
		element(&s->fields, &s->nfields, LIMIT_SLICE_FIELDS,
		    slicewire_field, SLICE_C_COLUMNS, v);
		return 0;
	case SLICE_TAKEN:
		return taken(s, v);
	case SLICE_DATA:
		return data(s, v);
	case SLICE_UNDECIDED:
		/* Where it lies; the columns behind are not of it. */
		element(&s->undecided, &s->nundecided, LIMIT_SLICE_TOLD,
		    slicewire_taken, SLICE_T_HOW, v);
		return 0;
	case SLICE_TOLD:
		element(&s->told, &s->ntold, LIMIT_SLICE_TOLD,
		    slicewire_told, SLICE_P_COLUMNS, v);
		return 0;
	case SLICE_END:
		return end(s, v);
	case SLICE_CHECKED:
		break;
	}
	return ERR_FORMAT;
}

static const char *
why_ended(enum proc_end how, int status)
{
	switch (how) {
	case PROC_EXITED:
		return status == 0 ? NULL :
		    "the process that reads the data set failed";
	case PROC_SIGNALED:
		return "the process that reads the data set was ended by a "
		       "signal";
	case PROC_DEADLINE:
		return "the process that reads the data set passed its "
		       "deadline";
	case PROC_KILLED:
		break;
	}
	return "the process that reads the data set sent what it may not, or "
	       "too much";
}

int
slice_read(struct slice *s)
{
	static uint8_t body[LIMIT_FRAME];
	struct err why = ERR_INIT;
	const struct dataset_words words = {s->s->slice, s->one->ids,
	    s->one->nids};
	struct proc *p = &s->one->proc;
	uint64_t bytes = 0;
	bool lied = false;
	enum proc_end how;
	struct frame f;
	uint8_t type;
	size_t n;
	int r, status = 0;

	if ((r = dataset_give(&s->d, &words, p, s->one->sock, -1, s->c->e)) <
	    0)
		return r;
	while ((r = proc_frame(p, &type, body, sizeof(body), &n, &why)) > 0) {
		bytes += n;
		r = bytes > LIMIT_INTAKE_BYTES ||
		    !frame_parse(&f, type, body, n) ? ERR_FORMAT :
		    dispatch(s, &f);
		lied = r < 0;
		if (lied)
			break;
	}
	if (r < 0)
		proc_kill(p);
	how = proc_wait(p, &status);
	(void)close(s->one->sock);
	s->one->sock = -1;
	/* Our own side: the bundle or a temporary file cannot be written. */
	if (r < 0 && s->c->e->code != ERR_OK)
		return r;
	/* It may have ended by itself before it could be killed. */
	s->why = why_ended(lied ? PROC_KILLED : how, status);
	if (s->why == NULL && !s->ended)
		s->why = "the process that reads the data set did not say "
			 "that it had come to its end";
	return s->why == NULL ? 0 : record_error(s->c, s->d.path, s->why, 0);
}
