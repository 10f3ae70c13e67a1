#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "formats/onnx.h"
#include "formats/pickle.h"

/*
 * Text for people, at every level: no reader acts on it, so it can carry
 * anything.  All of it is looked at, in pieces; what is told of it:
 *
 *   control characters	text of no encoding has them; bytes do
 *   a run of base64	CODED_RUN characters without a blank, over line ends if
 *			the lines are as long as encoders make them
 *   its length		a note
 *
 * Metadata are told with at most LIMIT_ONNX_TEXT bytes of their value.
 */
#define CODED_RUN 4096
#define CODED_LINE 40

struct text_state {
	uint64_t controls;
	uint64_t run, longest;
	uint64_t line;		/* characters of the run in this line */
	uint64_t first;		/* where the first control stands */
};

static bool
is_coded(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=' ||
	    c == '-' || c == '_';
}

static void
look(struct text_state *t, const uint8_t *p, size_t n, uint64_t off)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (is_coded(c)) {
			t->line++;
			if (++t->run > t->longest)
				t->longest = t->run;
		} else if (c != '\r' && (c != '\n' || t->line < CODED_LINE)) {
			t->run = t->line = 0;
		} else if (c == '\n') {
			t->line = 0;
		}
		if ((c < ' ' && (c < '\t' || c > '\r') && c != 0x1b) ||
		    c == 0x7f)
			if (t->controls++ == 0)
				t->first = off + i;
	}
}

/* A text of [off, off + len); ${key} names it in what is told. */
static int
check_text(struct onnx *o, uint64_t off, uint64_t len, const void *key,
    size_t key_len)
{
	struct text_state t = {0};
	struct fact facts[] = {FACT_TEXT("text", key, key_len),
	    FACT_NUM("length", len), FACT_NUM("count", 0)};
	uint64_t at = 0;
	size_t n;
	int r = 0;

	while (at < len) {
		n = len - at < LIMIT_ONNX_TEXT ? (size_t)(len - at) :
		    LIMIT_ONNX_TEXT;
		if ((r = reader_seek(&o->w.r, off + at, o->p->e)) < 0 ||
		    (r = reader_copy(&o->w.r, o->text, n, o->p->e)) < 0)
			return r;
		look(&t, o->text, n, off + at);
		at += n;
	}
	if (t.controls > 0) {
		facts[2].num = t.controls;
		facts[2].key = "control_characters";
		r = onnx_tell(o, ANOMALY_ONNX_TEXT_BINARY, t.first,
		    off + len - t.first, facts, 3);
	}
	if (r >= 0 && t.longest >= CODED_RUN) {
		facts[2].num = t.longest;
		facts[2].key = "run";
		r = onnx_tell(o, ANOMALY_ONNX_TEXT_CODED, off, len, facts, 3);
	}
	if (r >= 0 && len > LIMIT_ONNX_TEXT)
		r = onnx_tell(o, ANOMALY_ONNX_LONG_TEXT, off, len, facts, 2);
	if (r >= 0 && len >= 16)
		r = pickle_embedded(o->p, off, len, "text", PICKLE_IN_TEXT);
	return r;
}

int
onnx_doc(struct onnx *o, const struct onnx_frame *f,
    const struct pb_field *w)
{
	const char *name = onnx_field(f->id, w->number)->name;

	return check_text(o, w->at, w->len, name, strlen(name));
}

static int
entry_field(struct onnx *o, struct onnx_frame *f, const struct pb_field *w)
{
	if (w->number == ONNX_ENTRY_KEY)
		return onnx_intern_field(o, w, &f->u.entry.key);
	f->u.entry.off = w->at;
	f->u.entry.len = w->len;
	return 0;
}

/* Bindings and annotations name values: those are used. */
static int
note_names(struct onnx *o, const struct onnx_frame *f)
{
	const struct pb_field w = {.at = f->u.entry.off,
	    .len = f->u.entry.len};
	uint32_t value = 0;
	bool fresh;
	int r;

	if (w.len > 0 && (r = onnx_intern_field(o, &w, &value)) < 0)
		return r;
	onnx_pair(o, ONNX_PAIR_NAMED, 0, f->u.entry.key, &fresh)->value = 1;
	onnx_pair(o, ONNX_PAIR_NAMED, 0, value, &fresh)->value = 1;
	return 0;
}

/*
 * A key twice in one message: one reader makes a map of the last, another
 * stops at the first, a third refuses.
 */
static int
entry_end(struct onnx *o, struct onnx_frame *up, struct onnx_frame *f)
{
	const char *key = onnx_text(o, f->u.entry.key);
	const size_t key_len = onnx_text_len(o, f->u.entry.key);
	const size_t n = f->u.entry.len < LIMIT_ONNX_TEXT ?
	    (size_t)f->u.entry.len : LIMIT_ONNX_TEXT;
	bool fresh;
	int r;

	if (up->id == ONNX_TENSOR && f->from == ONNX_TENSOR_EXTERNAL)
		return onnx_external_entry(o, up, f);
	onnx_pair(o, ONNX_PAIR_KEY, up->serial * 32 + f->from,
	    f->u.entry.key, &fresh)->value++;
	if (!fresh && !o->full && (r = onnx_tell_name(o,
	    ANOMALY_ONNX_KEY_TWICE, f->off, "key", f->u.entry.key)) < 0)
		return r;
	if (up->id == ONNX_TRAINING || up->id == ONNX_ANNOTATION)
		return note_names(o, f);
	if ((r = check_text(o, f->u.entry.off, f->u.entry.len, key,
	    key_len)) < 0 ||
	    (r = reader_seek(&o->w.r, f->u.entry.off, o->p->e)) < 0 ||
	    (r = reader_copy(&o->w.r, o->text, n, o->p->e)) < 0)
		return r;
	return format_meta(o->p, key, key_len, (const char *)o->text, n,
	    f->u.entry.off);
}

const struct onnx_row onnx_row_entry = {NULL, NULL, entry_field, entry_end};
