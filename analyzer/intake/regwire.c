#include <string.h>

#include "analyzer/finding.h"
#include "analyzer/intake/members.h"
#include "analyzer/intake/regwire.h"
#include "analyzer/result.h"
#include "analyzer/sink_rows.h"
#include "base/arena.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "custody/anydigest.h"

enum { FRAME_ROW = 1, FRAME_PROBLEM, FRAME_CUT };

/* A problem: which one, where, and its facts as pairs. */
enum { PROBLEM_ID, PROBLEM_PATH, PROBLEM_OFF, PROBLEM_FACTS };
#define PAIR(n) {"key" #n, FIELD_TEXT}, {"value" #n, FIELD_TEXT}
static const struct field_def problem_columns[] = {{"id", FIELD_U64},
    {"path", FIELD_TEXT}, {"offset", FIELD_U64}, PAIR(0), PAIR(1), PAIR(2),
    PAIR(3), PAIR(4), PAIR(5)};
#define PROBLEM_COLUMNS (sizeof(problem_columns) / sizeof(problem_columns[0]))
_Static_assert(PROBLEM_COLUMNS == PROBLEM_FACTS + 2 * REG_FACTS,
    "a pair for each fact");

/* --- in the worker -------------------------------------------------------- */

static size_t
cut(size_t n)
{
	return n < LIMIT_RENDER ? n : LIMIT_RENDER;
}

static int
send_row(void *ctx, const struct reg_row *row)
{
	struct regwire *w = ctx;
	struct field v[REG_COLUMNS];

	memcpy(v, row->v, sizeof(v));
	for (unsigned i = 0; i < REG_COLUMNS; i++)
		if (reg_columns[i].type == FIELD_TEXT)
			v[i].n = cut(v[i].n);
	return outbox_send(&w->out, FRAME_ROW, reg_columns, REG_COLUMNS, v,
	    w->e);
}

static int
send_problem(void *ctx, const struct reg_told *t)
{
	struct field v[PROBLEM_COLUMNS] = {{0}};
	struct regwire *w = ctx;

	BUG_ON(t->facts > REG_FACTS);
	fields_u64(&v[PROBLEM_ID], t->id);
	fields_text(&v[PROBLEM_PATH], t->path, cut(t->path_len));
	fields_u64(&v[PROBLEM_OFF], t->off);
	for (unsigned i = 0; i < t->facts; i++) {
		fields_text(&v[PROBLEM_FACTS + 2 * i], t->fact[i].key,
		    strlen(t->fact[i].key));
		fields_text(&v[PROBLEM_FACTS + 2 * i + 1], t->fact[i].p,
		    cut(t->fact[i].n));
	}
	return outbox_send(&w->out, FRAME_PROBLEM, problem_columns,
	    PROBLEM_COLUMNS, v, w->e);
}

static int
open_file(void *ctx, const struct reg_file *f, struct bytesrc **ret,
    struct err *e)
{
	const struct regwire *w = ctx;

	return members_open(w->m, f->ctx, ret, e);
}

static int
digest_file(void *ctx, enum reg_algorithm a, const void *prefix, size_t n,
    const struct bytesrc *src, uint8_t out[64], struct err *e)
{
	static const enum anydigest of[] = {[REG_SHA256] = ANYDIGEST_SHA256,
	    [REG_SHA512] = ANYDIGEST_SHA512, [REG_SHA1] = ANYDIGEST_SHA1,
	    [REG_MD5] = ANYDIGEST_MD5, [REG_BLAKE2B] = ANYDIGEST_BLAKE2B};

	(void)ctx;
	return anydigest_source(of[a], prefix, n, src, out, e);
}

int
regwire_tree(struct regwire *w, struct reg_tree *t)
{
	struct reg_file *v = arena_array(w->arena, w->m->n, sizeof(*v));

	if (v == NULL)
		return err_set(w->e, ERR_NOMEM, "no room for the files");
	for (size_t i = 0; i < w->m->n; i++) {
		struct member *f = &w->m->v[i];
		bool rooted = f->path_len > 0 && f->path[0] == '/';

		v[i] = (struct reg_file){.path = f->path + rooted,
		    .path_len = f->path_len - rooted, .size = f->size,
		    .type = f->type == 'f' ? REG_FILE : f->type == 'd' ?
		    REG_FOLDER : REG_LINK, .link = f->link,
		    .link_len = f->link_len, .mtime_ns = f->mtime_ns,
		    .has_sha256 = f->has_sha256,
		    .absent = f->type == 'f' && !f->stored, .ctx = f};
		memcpy(v[i].sha256, f->sha256, sizeof(v[i].sha256));
	}
	*t = (struct reg_tree){v, w->m->n, open_file, digest_file, w};
	return 0;
}

void
regwire_events(struct regwire *w, struct reg_events *ev)
{
	*ev = (struct reg_events){send_row, send_problem, w};
}

int
regwire_end(struct regwire *w)
{
	int r = 0;

	if (w->m->cut)
		r = outbox_send(&w->out, FRAME_CUT, NULL, 0, NULL, w->e);
	return r < 0 ? r : outbox_flush(&w->out, w->e);
}

/* --- in the parent -------------------------------------------------------- */

static int
refuse(struct err *e)
{
	return err_set(e, ERR_FORMAT, "no such frame");
}

/* Paths in the tree, which lies below "/", are absolute in the record. */
static void
make_absolute(struct field *f, struct buf *room)
{
	if (!f->set)
		return;
	buf_putc(room, '/');
	buf_put(room, f->p, f->n);
	if (buf_failed(room) == 0)
		fields_text(f, room->p, room->len);
}

static int
row_line(const struct frame *f, struct buf *b, struct err *e)
{
	static const enum reg_column paths[] = {REG_ROOT, REG_SOURCE,
	    REG_MEMBER};
	struct field v[REG_COLUMNS];
	struct buf room[3];
	struct json_write w;

	if (!fields_get(f, reg_columns, REG_COLUMNS, v, NULL, 0))
		return refuse(e);
	for (unsigned i = 0; i < 3; i++) {
		buf_init(&room[i], LIMIT_FRAME + 1);
		make_absolute(&v[paths[i]], &room[i]);
	}
	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	fields_json(&w, reg_columns, REG_COLUMNS, v);
	json_end_object(&w);
	for (unsigned i = 0; i < 3; i++)
		buf_release(&room[i]);
	return 0;
}

/* Keys are the worker's word: only what looks like one of ours passes. */
static bool
get_facts(const struct field *v, struct finding *ret,
    char keys[REG_FACTS][33])
{
	for (unsigned i = 0; i < REG_FACTS; i++, v += 2) {
		if (!v[0].set)
			continue;
		if (!v[1].set || !finding_key_ok(v[0].p, v[0].n))
			return false;
		memcpy(keys[i], v[0].p, v[0].n);
		keys[i][v[0].n] = '\0';
		ret->details[ret->ndetails++] = (struct detail){
		    .key = keys[i], .text = v[1].p, .len = v[1].n};
	}
	return true;
}

static int
problem_line(const struct frame *f, struct buf *b, struct err *e)
{
	struct field v[PROBLEM_COLUMNS];
	const struct finding_info *info;
	struct finding found = {.confidence = CONFIDENCE_CERTAIN};
	struct result_finding row = {.finding = &found};
	char keys[REG_FACTS][33];
	struct json_write w;
	struct buf path;

	if (!fields_get(f, problem_columns, PROBLEM_COLUMNS, v, NULL, 0) ||
	    !v[PROBLEM_ID].set || v[PROBLEM_ID].u >= REG_PROBLEMS ||
	    !v[PROBLEM_PATH].set || !get_facts(&v[PROBLEM_FACTS], &found,
	    keys))
		return refuse(e);
	info = finding_info(finding_of_problem(
	    (enum reg_problem)v[PROBLEM_ID].u));
	found.id = info->id;
	found.severity = info->severity;
	found.off = v[PROBLEM_OFF].u;
	buf_init(&path, 4 * LIMIT_RENDER + 2);
	buf_putc(&path, '/');
	text_put(&path, v[PROBLEM_PATH].p, v[PROBLEM_PATH].n, TEXT_PATH);
	row.path = buf_str(&path);
	json_init(&w, b, JSON_COMPACT);
	sink_row_finding(&w, &row);
	buf_release(&path);
	return 0;
}

int
regwire_line(const struct frame *f, const char **name, struct buf *b,
    struct err *e)
{
	switch (f->type) {
	case FRAME_ROW:
		*name = DERIVE_REGISTRY;
		return row_line(f, b, e);
	case FRAME_PROBLEM:
		*name = DERIVE_FINDINGS;
		return problem_line(f, b, e);
	case FRAME_CUT:
		*name = DERIVE_NOTES;
		buf_puts(b, "{\"type\":\"note\",\"kind\":\"registry\","
		    "\"what\":\"more members than are looked at together\"}");
		return 0;
	default:
		return refuse(e);
	}
}
