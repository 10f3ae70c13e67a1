#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "tools/mksample.h"

/*
 * Statements into bytes.  Each block is assembled into a buffer of its own;
 * a def is run with a scope that knows its arguments and, if it was called
 * with "inside", the block that is its body (which runs in the scope of the
 * caller).  Depth is bounded, so defs that call themselves end.
 */
#define DEFS 512
#define ARGS 64

static struct {
	const char *root;
	const char *folder;
	const struct stmt *def[DEFS];
	unsigned defs;
} known;

void
run_root(const char *root)
{
	known.root = root;
}

void
run_folder(const char *folder)
{
	known.folder = folder;
}

void
run_defs(const struct script *sc)
{
	for (size_t i = 0; i < sc->count; i++) {
		const struct stmt *s = &sc->stmt[i];

		if (!word_is(&s->w[0], "def"))
			continue;
		if (s->count < 2 || known.defs == DEFS)
			die(s, "def NAME [PARAM...]");
		known.def[known.defs++] = s;
	}
}

void
run_forget(const struct script *sc)
{
	while (known.defs > 0 && known.def[known.defs - 1]->path == sc->path)
		known.defs--;
}

/* The last def of that name wins: a file may redefine a shared one. */
const struct stmt *
run_find(const struct word *name)
{
	for (unsigned i = known.defs; i-- > 0;) {
		const struct word *w = &known.def[i]->w[1];

		if (w->n == name->n && memcmp(w->p, name->p, w->n) == 0)
			return known.def[i];
	}
	return NULL;
}

/* Words with "$PARAM" replaced; outside of a def there are none. */
static unsigned
substitute(const struct stmt *s, const struct scope *scope, struct word *w)
{
	if (s->count > ARGS)
		die(s, "too many words");
	for (unsigned i = 0; i < s->count; i++) {
		unsigned k = 2;

		w[i] = s->w[i];
		if (w[i].n < 2 || w[i].p[0] != '$' || scope->def == NULL)
			continue;
		while (k < scope->def->count &&
		    (scope->def->w[k].n != w[i].n - 1 ||
		    memcmp(scope->def->w[k].p, w[i].p + 1, w[i].n - 1) != 0))
			k++;
		if (k == scope->def->count)
			die(s, "no such parameter");
		w[i] = scope->args[k - 2];
	}
	return s->count;
}

static void
call_def(const struct stmt *s, const struct word *w, unsigned count,
    const struct scope *scope, struct buf *out)
{
	bool block = s->end != NULL;	/* "inside NAME" */
	unsigned first = block ? 2 : 1;
	const struct stmt *def;
	struct scope in;

	if (count < first || (def = run_find(&w[first - 1])) == NULL)
		die(s, "unknown statement");
	if (count - first != def->count - 2)
		die(s, "wrong number of arguments");
	in = (struct scope){.def = def, .args = w + first,
	    .depth = scope->depth + 1, .pack = scope->pack};
	if (block) {
		in.body = s + 1;
		in.body_end = s->end;
		in.body_scope = scope;
	}
	run(def + 1, def->end, &in, out);
}

static void
do_file(const struct stmt *s, const struct word *path, struct buf *out)
{
	char full[1024], chunk[4096];
	size_t n;
	FILE *f;

	(void)snprintf(full, sizeof(full), "%s/%.*s", known.root,
	    (int)path->n, path->p);
	if ((f = fopen(full, "rb")) == NULL)
		die(s, "cannot read that file");
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(out, chunk, n);
	(void)fclose(f);
}

/* A place in what was assembled so far; below 0: from the end. */
static size_t
place(const struct stmt *s, const struct word *w, const struct buf *out)
{
	int64_t v = word_signed(s, w);

	if (v < 0)
		v += (int64_t)out->len;
	if (v < 0 || (uint64_t)v > out->len)
		die(s, "that place lies outside");
	return (size_t)v;
}

static void
do_patch(const struct stmt *s, const struct word *w, unsigned count,
    struct buf *out)
{
	size_t off = place(s, &w[1], out);
	struct buf b;

	buf_init(&b, KIB);
	for (unsigned i = 3; i < count; i++)
		word_hex(s, &w[i], &b);
	if (b.len > out->len - off)
		die(s, "the patch lies outside");
	memcpy(out->p + off, b.p, b.len);
	buf_release(&b);
}

/* numpy/lib/format.py: versions 1 to 3, the header padded to 64 bytes. */
static void
do_npy(const struct stmt *s, const struct word *w, unsigned count,
    struct buf *out)
{
	uint64_t version = count > 3 ? word_number(s, &w[3]) : 1;
	unsigned width = version == 1 ? 2 : 4;
	struct buf b;

	buf_init(&b, 64 * KIB);
	buf_printf(&b, "{'descr': %.*s, 'fortran_order': False, "
	    "'shape': %.*s, }", (int)w[1].n, w[1].p, (int)w[2].n, w[2].p);
	while ((8 + width + b.len + 1) % 64 != 0)
		buf_putc(&b, ' ');
	buf_putc(&b, '\n');
	buf_put(out, "\x93NUMPY", 6);
	put_le(out, version, 2);
	put_le(out, b.len, width);
	buf_put(out, b.p, b.len);
	buf_release(&b);
}

static const struct integer {
	const char *name;
	unsigned n;
	bool big;
} integers[] = {{"u8", 1, false}, {"u16le", 2, false}, {"u32le", 4, false},
    {"u64le", 8, false}, {"u16be", 2, true}, {"u32be", 4, true},
    {"u64be", 8, true}};

static const struct integer *
find_integer(const struct word *kind)
{
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
		if (word_is(kind, integers[i].name))
			return &integers[i];
	return NULL;
}

static bool
put_integer(const struct integer *kind, uint64_t v, struct buf *out)
{
	if (kind != NULL)
		(kind->big ? put_be : put_le)(out, v, kind->n);
	return kind != NULL;
}

static void
do_pad(const struct stmt *s, const struct word *w, struct buf *out)
{
	const uint64_t n = word_number(s, &w[2]);

	while (n > 0 && out->len % n != 0)
		word_hex(s, &w[1], out);
}

/* Another file in the folder of the case; link TARGET in its place. */
static void
beside(const struct stmt *s, const struct word *name, struct buf *in)
{
	char path[1024];

	if (known.folder == NULL || memchr(name->p, '/', name->n) != NULL)
		die(s, "this case has no folder of its own");
	(void)snprintf(path, sizeof(path), "%s/%.*s", known.folder,
	    (int)name->n, name->p);
	sample_write(s, path, in);
}

static void
beside_link(const struct stmt *s, const struct word *name,
    const struct word *to)
{
	char path[1024], target[256];

	if (known.folder == NULL)
		die(s, "this case has no folder of its own");
	(void)snprintf(path, sizeof(path), "%s/%.*s", known.folder,
	    (int)name->n, name->p);
	(void)snprintf(target, sizeof(target), "%.*s", (int)to->n, to->p);
	(void)unlink(path);
	if (symlink(target, path) < 0)
		die(s, "cannot make the link");
}

static bool
plain(const struct stmt *s, const struct word *w, unsigned count,
    struct buf *out)
{
	if (word_is(&w[0], "text") && count == 2) {
		buf_put(out, w[1].p, w[1].n);
	} else if (word_is(&w[0], "hex")) {
		for (unsigned i = 1; i < count; i++)
			word_hex(s, &w[i], out);
	} else if (word_is(&w[0], "fill") && count == 3 && w[1].n == 2) {
		size_t at = out->len;

		word_hex(s, &w[1], out);
		for (uint64_t n = word_number(s, &w[2]); n > 1; n--)
			buf_putc(out, (char)out->p[at]);
	} else if (word_is(&w[0], "pad") && count == 3 && w[1].n == 2) {
		do_pad(s, w, out);
	} else if (word_is(&w[0], "file") && count == 2) {
		do_file(s, &w[1], out);
	} else if (word_is(&w[0], "beside-link") && count == 3) {
		beside_link(s, &w[1], &w[2]);
	} else if (word_is(&w[0], "pb")) {
		pb_put(s, w, count, out);
	} else if (word_is(&w[0], "at") && count > 3) {
		do_patch(s, w, count, out);
	} else if (word_is(&w[0], "cut") && count == 2) {
		out->len = place(s, &w[1], out);
	} else if (word_is(&w[0], "pax") && count == 3) {
		tar_pax(&w[1], &w[2], out);
	} else if (word_is(&w[0], "noise") && count == 3) {
		tensor_noise(s, w, out);
	} else if (word_is(&w[0], "floats") && (count == 4 || count == 5)) {
		tensor_floats(s, w, count, out);
	} else if (word_is(&w[0], "npy") && (count == 3 || count == 4)) {
		do_npy(s, w, count, out);
	} else if (word_is(&w[0], "joblib-pad") && count == 1) {
		size_t n = 16 - (out->len + 1) % 16;

		buf_putc(out, (char)(uint8_t)n);
		while (n-- > 0)
			buf_putc(out, '\xff');
	} else {
		const struct integer *kind = find_integer(&w[0]);

		return count == 2 && kind != NULL &&
		    put_integer(kind, word_number(s, &w[1]), out);
	}
	return true;
}

/* as OPCODE: the block is its argument. */
static void
do_as(const struct stmt *s, const struct word *kind, struct buf *in,
    struct buf *out)
{
	static char small[] = "SHORT_BINBYTES", large[] = "BINBYTES";
	struct word w[2] = {*kind, {(char *)in->p, in->len}};

	if (word_is(kind, "BYTES")) {
		w[0].p = in->len < 256 ? small : large;
		w[0].n = strlen(w[0].p);
	}
	if (!op_put(s, w, 2, out))
		die(s, "no such opcode");
}

/* What a block does with the bytes inside of it. */
static void
close_block(const struct stmt *s, const struct word *w, unsigned count,
    const struct scope *scope, struct buf *in, struct buf *out)
{
	if (word_is(&w[0], "as") && count == 2) {
		do_as(s, &w[1], in, out);
	} else if (word_is(&w[0], "frame") && count <= 2) {
		int64_t delta = count == 2 ? word_signed(s, &w[1]) : 0;

		buf_putc(out, '\x95');
		put_le(out, in->len + (uint64_t)delta, 8);
		buf_put(out, in->p, in->len);
	} else if (word_is(&w[0], "wrap") && count == 2) {
		wrap_put(s, &w[1], in, out);
	} else if (word_is(&w[0], "counted") && count == 2) {
		if (!put_integer(find_integer(&w[1]), in->len, out))
			die(s, "no such integer");
		buf_put(out, in->p, in->len);
	} else if (word_is(&w[0], "repeat") && count == 2) {
		for (uint64_t n = word_number(s, &w[1]); n > 0; n--)
			buf_put(out, in->p, in->len);
	} else if (word_is(&w[0], "hide") && count == 4) {
		tensor_hide(s, w, in, out);
	} else if (word_is(&w[0], "hide-bits") && count == 4) {
		tensor_hide_bits(s, w, in, out);
	} else if (word_is(&w[0], "member")) {
		if (scope->pack == NULL)
			die(s, "a member of nothing");
		pack_member(scope->pack, s, w, count, in);
	} else if (word_is(&w[0], "beside") && count == 2) {
		beside(s, &w[1], in);
	} else if (!pb_block(s, w, count, in, out)) {
		die(s, "unknown block");
	}
}

static void
run_block(const struct stmt *s, const struct word *w, unsigned count,
    const struct scope *scope, struct buf *out)
{
	struct scope in = *scope;
	struct buf b;

	in.depth++;
	if (word_is(&w[0], "def"))
		return;
	if (word_is(&w[0], "zip") || word_is(&w[0], "tar")) {
		in.pack = word_is(&w[0], "zip") ? pack_zip(s, out) :
		    pack_tar(out);
		run(s + 1, s->end, &in, out);
		pack_end(in.pack, s);
		return;
	}
	buf_init(&b, SAMPLE_MAX);
	run(s + 1, s->end, &in, &b);
	if (buf_failed(&b) < 0)
		die(s, "too large");
	close_block(s, w, count, scope, &b, out);
	buf_release(&b);
}

static void
statement(const struct stmt *s, const struct scope *scope, struct buf *out)
{
	struct word w[ARGS + 1] = {{NULL, 0}};
	unsigned count = substitute(s, scope, w);
	bool is_op = word_is(&w[0], "op") && count > 1;

	if (s->end != NULL && word_is(&w[0], "inside"))
		call_def(s, w, count, scope, out);
	else if (s->end != NULL)
		run_block(s, w, count, scope, out);
	else if (word_is(&w[0], "body") && count == 1 && scope->body != NULL) {
		struct scope caller = *scope->body_scope;

		/* a body's members belong to the zip around "body" */
		caller.pack = scope->pack;
		caller.depth = scope->depth + 1;
		run(scope->body, scope->body_end, &caller, out);
	} else if (is_op ? !op_put(s, w + 1, count - 1, out) :
	    !op_put(s, w, count, out) && !plain(s, w, count, out))
		call_def(s, w, count, scope, out);
}

void
run(const struct stmt *from, const struct stmt *to,
    const struct scope *scope, struct buf *out)
{
	if (scope->depth > SAMPLE_DEPTH)
		die(from, "too deep");
	for (const struct stmt *s = from; s < to; s++) {
		if (s->w[0].n > 0)
			statement(s, scope, out);
		if (s->end != NULL)
			s = s->end;
	}
}
