#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

/*
 * mksample SAMPLES OUT: assemble every SAMPLES/<dir>/<name>.recipe to the
 * file OUT/<dir>/<name>.  Hostile files live in the repository as text that
 * a person can review; they become bytes only in a build folder.
 *
 * A recipe has one statement a line; '#' begins a comment line.
 *
 *   text "..."          bytes; \n \t \\ \" and \xHH are escapes
 *   hex 80 04 ff        bytes
 *   fill HH COUNT       a run of one byte
 *   u8 u16le u32le u64le u32be N
 *   file PATH           the bytes of a file below SAMPLES
 *   op NAME [ARG...]    a pickle opcode with its argument
 *   zip-member NAME [deflate]    what follows is this member's content
 *   zip-end             the central directory
 *   at OFFSET hex ...   overwrite, once all is assembled so far
 *   cut LENGTH          drop everything from LENGTH on
 */
#define SAMPLE_MAX (64 * MIB)
#define WORDS 64
#define ZIP_MEMBERS 64

struct zip_member {
	char name[200];
	uint32_t off, crc, packed, size;
	uint16_t method;
};

struct sample {
	const char *root, *recipe;
	unsigned line;
	struct buf out;
	struct buf member;	/* content of the open zip member */
	bool in_member;
	struct zip_member zip[ZIP_MEMBERS];
	unsigned nzip;
};

struct words {
	char *word[WORDS];
	size_t len[WORDS];
	unsigned count;
};

static _Noreturn void
die(const struct sample *s, const char *what)
{
	(void)fprintf(stderr, "%s:%u: %s\n", s->recipe, s->line, what);
	exit(1);
}

static struct buf *
target(struct sample *s)
{
	return s->in_member ? &s->member : &s->out;
}

static void
put_le(struct buf *b, uint64_t v, unsigned n)
{
	for (; n > 0; n--, v >>= 8)
		buf_putc(b, (char)(uint8_t)v);
}

static unsigned
hex_digit(const struct sample *s, char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	die(s, "not a hex digit");
}

/* One escape after a backslash; returns how many characters it took. */
static size_t
unescape(const struct sample *s, const char *p, char *ret)
{
	switch (*p) {
	case 'n':
		*ret = '\n';
		return 1;
	case 't':
		*ret = '\t';
		return 1;
	case 'x':
		*ret = (char)(uint8_t)(hex_digit(s, p[1]) * 16 +
		    hex_digit(s, p[2]));
		return 3;
	case '\\':
	case '"':
		*ret = *p;
		return 1;
	default:
		die(s, "unknown escape");
	}
}

/* Split a line in place; a quoted word is unescaped and may hold NUL. */
static void
split(const struct sample *s, char *p, struct words *w)
{
	char *to, c;

	w->count = 0;
	for (;;) {
		p += strspn(p, " \t\n");
		if (*p == '\0')
			return;
		if (w->count == WORDS)
			die(s, "too many words");
		if (*p != '"') {
			w->word[w->count] = p;
			w->len[w->count++] = strcspn(p, " \t\n");
			p += strcspn(p, " \t\n");
			if (*p != '\0')
				*p++ = '\0';
			continue;
		}
		w->word[w->count] = to = ++p;
		while (*p != '"') {
			if (*p == '\0')
				die(s, "unfinished string");
			c = *p++;
			if (c == '\\')
				p += unescape(s, p, &c);
			*to++ = c;
		}
		p++;
		w->len[w->count] = (size_t)(to - w->word[w->count]);
		w->count++;
	}
}

static uint64_t
number(const struct sample *s, const char *p)
{
	unsigned base = 10;
	uint64_t v;

	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	if (!text_u64(p, strlen(p), base, UINT64_MAX, &v))
		die(s, "not a number");
	return v;
}

static void
do_hex(struct sample *s, struct buf *b, const struct words *w, unsigned from)
{
	for (unsigned i = from; i < w->count; i++) {
		if (w->len[i] != 2)
			die(s, "two hex digits a byte");
		buf_putc(b, (char)(uint8_t)(hex_digit(s, w->word[i][0]) * 16 +
		    hex_digit(s, w->word[i][1])));
	}
}

/* How a pickle opcode's argument is written (pickletools' names). */
enum arg { ARG_NONE, ARG_U8, ARG_U16, ARG_U32, ARG_U64, ARG_LINE, ARG_LINES,
	ARG_STR8, ARG_STR32, ARG_STR64 };

static const struct opcode {
	const char *name;
	char code;
	enum arg arg;
} opcodes[] = {{"MARK", '(', ARG_NONE}, {"STOP", '.', ARG_NONE},
    {"POP", '0', ARG_NONE}, {"POP_MARK", '1', ARG_NONE},
    {"DUP", '2', ARG_NONE}, {"NONE", 'N', ARG_NONE},
    {"REDUCE", 'R', ARG_NONE}, {"BUILD", 'b', ARG_NONE},
    {"GLOBAL", 'c', ARG_LINES}, {"INST", 'i', ARG_LINES},
    {"OBJ", 'o', ARG_NONE}, {"INT", 'I', ARG_LINE}, {"BININT", 'J', ARG_U32},
    {"BININT1", 'K', ARG_U8}, {"BININT2", 'M', ARG_U16},
    {"STRING", 'S', ARG_LINE}, {"UNICODE", 'V', ARG_LINE},
    {"BINUNICODE", 'X', ARG_STR32}, {"SHORT_BINSTRING", 'U', ARG_STR8},
    {"SHORT_BINBYTES", 'C', ARG_STR8}, {"BINBYTES", 'B', ARG_STR32},
    {"EMPTY_DICT", '}', ARG_NONE}, {"EMPTY_LIST", ']', ARG_NONE},
    {"EMPTY_TUPLE", ')', ARG_NONE}, {"TUPLE", 't', ARG_NONE},
    {"LIST", 'l', ARG_NONE}, {"DICT", 'd', ARG_NONE},
    {"APPEND", 'a', ARG_NONE}, {"APPENDS", 'e', ARG_NONE},
    {"SETITEM", 's', ARG_NONE}, {"SETITEMS", 'u', ARG_NONE},
    {"PUT", 'p', ARG_LINE}, {"GET", 'g', ARG_LINE},
    {"BINPUT", 'q', ARG_U8}, {"BINGET", 'h', ARG_U8},
    {"PROTO", '\x80', ARG_U8}, {"NEWOBJ", '\x81', ARG_NONE},
    {"TUPLE1", '\x85', ARG_NONE}, {"TUPLE2", '\x86', ARG_NONE},
    {"TUPLE3", '\x87', ARG_NONE}, {"NEWTRUE", '\x88', ARG_NONE},
    {"SHORT_BINUNICODE", '\x8c', ARG_STR8},
    {"BINUNICODE8", '\x8d', ARG_STR64}, {"EMPTY_SET", '\x8f', ARG_NONE},
    {"NEWOBJ_EX", '\x92', ARG_NONE}, {"STACK_GLOBAL", '\x93', ARG_NONE},
    {"MEMOIZE", '\x94', ARG_NONE}, {"FRAME", '\x95', ARG_U64}};

static void
op_argument(struct sample *s, const struct opcode *o, const struct words *w)
{
	static const unsigned widths[] = {0, 1, 2, 4, 8, 0, 0, 1, 4, 8};
	unsigned want = o->arg == ARG_NONE ? 0 : o->arg == ARG_LINES ? 2 : 1;
	struct buf *b = target(s);

	if (w->count != 2 + want)
		die(s, "wrong number of arguments for this opcode");
	if (o->arg >= ARG_STR8) {
		put_le(b, w->len[2], widths[o->arg]);
		buf_put(b, w->word[2], w->len[2]);
	} else if (o->arg >= ARG_LINE) {
		for (unsigned i = 2; i < w->count; i++) {
			buf_put(b, w->word[i], w->len[i]);
			buf_putc(b, '\n');
		}
	} else if (want > 0) {
		put_le(b, number(s, w->word[2]), widths[o->arg]);
	}
}

static void
do_op(struct sample *s, const struct words *w)
{
	if (w->count < 2)
		die(s, "op needs a name");
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
		if (strcmp(opcodes[i].name, w->word[1]) == 0) {
			buf_putc(target(s), opcodes[i].code);
			op_argument(s, &opcodes[i], w);
			return;
		}
	die(s, "no such opcode");
}

static void
do_file(struct sample *s, const char *path)
{
	char full[1024], chunk[4096];
	size_t n;
	FILE *f;

	(void)snprintf(full, sizeof(full), "%s/%s", s->root, path);
	if ((f = fopen(full, "rb")) == NULL)
		die(s, "cannot read that file");
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(target(s), chunk, n);
	(void)fclose(f);
}

/* --- zip: PKWARE APPNOTE 4.3.7, 4.3.12, 4.3.16 ------------------------- */

static void
zip_fields(struct buf *b, const struct zip_member *z)
{
	put_le(b, 20, 2);		/* version needed */
	put_le(b, 0, 2);		/* flags */
	put_le(b, z->method, 2);
	put_le(b, 0, 2);		/* time */
	put_le(b, 0x21, 2);		/* date: 1980-01-01 */
	put_le(b, z->crc, 4);
	put_le(b, z->packed, 4);
	put_le(b, z->size, 4);
	put_le(b, strlen(z->name), 2);
	put_le(b, 0, 2);		/* extra */
}

static void
zip_close(struct sample *s)
{
	struct zip_member *z = &s->zip[s->nzip - 1];
	uLongf n = compressBound(s->member.len) + 64;
	z_stream zs;
	uint8_t *packed;

	if (!s->in_member)
		return;
	s->in_member = false;
	if ((packed = malloc(n)) == NULL)
		die(s, "out of memory");
	z->size = z->packed = (uint32_t)s->member.len;
	z->crc = (uint32_t)crc32(0, s->member.p, (uInt)s->member.len);
	if (z->method == 8) {
		memset(&zs, 0, sizeof(zs));
		if (deflateInit2(&zs, 9, Z_DEFLATED, -15, 9,
		    Z_DEFAULT_STRATEGY) != Z_OK)
			die(s, "deflate failed");
		zs.next_in = s->member.p;
		zs.avail_in = (uInt)s->member.len;
		zs.next_out = packed;
		zs.avail_out = (uInt)n;
		if (deflate(&zs, Z_FINISH) != Z_STREAM_END)
			die(s, "deflate failed");
		z->packed = (uint32_t)zs.total_out;
		(void)deflateEnd(&zs);
	}
	z->off = (uint32_t)s->out.len;
	put_le(&s->out, 0x04034b50, 4);
	zip_fields(&s->out, z);
	buf_puts(&s->out, z->name);
	buf_put(&s->out, z->method == 8 ? packed : s->member.p, z->packed);
	free(packed);
	buf_clear(&s->member);
}

static void
zip_begin_member(struct sample *s, const struct words *w)
{
	struct zip_member *z;

	if (s->nzip > 0)
		zip_close(s);
	if (w->count < 2 || s->nzip == ZIP_MEMBERS)
		die(s, "zip-member NAME [deflate]");
	z = &s->zip[s->nzip++];
	memset(z, 0, sizeof(*z));
	(void)snprintf(z->name, sizeof(z->name), "%.*s", (int)w->len[1],
	    w->word[1]);
	z->method = w->count > 2 ? 8 : 0;
	s->in_member = true;
}

static void
zip_end(struct sample *s)
{
	uint32_t start;

	if (s->nzip == 0)
		die(s, "no zip-member");
	zip_close(s);
	start = (uint32_t)s->out.len;
	for (unsigned i = 0; i < s->nzip; i++) {
		put_le(&s->out, 0x02014b50, 4);
		put_le(&s->out, 20, 2);	/* version made by */
		zip_fields(&s->out, &s->zip[i]);
		put_le(&s->out, 0, 2 + 2 + 2 + 4);
		put_le(&s->out, s->zip[i].off, 4);
		buf_puts(&s->out, s->zip[i].name);
	}
	put_le(&s->out, 0x06054b50, 4);
	put_le(&s->out, 0, 4);
	put_le(&s->out, s->nzip, 2);
	put_le(&s->out, s->nzip, 2);
	put_le(&s->out, s->out.len - 12 - start, 4);
	put_le(&s->out, start, 4);
	put_le(&s->out, 0, 2);
	s->nzip = 0;
}

static bool
do_integer(struct sample *s, const struct words *w)
{
	static const struct {
		const char *name;
		unsigned n;
	} kinds[] = {{"u8", 1}, {"u16le", 2}, {"u32le", 4}, {"u64le", 8}};
	uint64_t v;

	if (w->count != 2)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(w->word[0], kinds[i].name) == 0) {
			put_le(target(s), number(s, w->word[1]), kinds[i].n);
			return true;
		}
	if (strcmp(w->word[0], "u32be") != 0)
		return false;
	v = number(s, w->word[1]);
	for (unsigned i = 0; i < 4; i++)
		buf_putc(target(s), (char)(uint8_t)(v >> (24 - 8 * i)));
	return true;
}

static void
do_patch(struct sample *s, const struct words *w)
{
	uint64_t off = number(s, w->word[1]);
	struct buf b;

	buf_init(&b, WORDS);
	do_hex(s, &b, w, 3);
	if (off > s->out.len || b.len > s->out.len - off)
		die(s, "the patch lies outside");
	memcpy(s->out.p + off, b.p, b.len);
	buf_release(&b);
}

static void
statement(struct sample *s, const struct words *w)
{
	const char *verb = w->word[0];

	if (strcmp(verb, "text") == 0 && w->count == 2) {
		buf_put(target(s), w->word[1], w->len[1]);
	} else if (strcmp(verb, "hex") == 0) {
		do_hex(s, target(s), w, 1);
	} else if (strcmp(verb, "fill") == 0 && w->count == 3) {
		for (uint64_t n = number(s, w->word[2]); n > 0; n--)
			buf_putc(target(s), (char)(uint8_t)(
			    hex_digit(s, w->word[1][0]) * 16 +
			    hex_digit(s, w->word[1][1])));
	} else if (strcmp(verb, "file") == 0 && w->count == 2) {
		do_file(s, w->word[1]);
	} else if (strcmp(verb, "op") == 0) {
		do_op(s, w);
	} else if (strcmp(verb, "zip-member") == 0) {
		zip_begin_member(s, w);
	} else if (strcmp(verb, "zip-end") == 0) {
		zip_end(s);
	} else if (strcmp(verb, "at") == 0 && w->count > 3) {
		do_patch(s, w);
	} else if (strcmp(verb, "cut") == 0 && w->count == 2) {
		uint64_t n = number(s, w->word[1]);

		if (n > s->out.len)
			die(s, "nothing to cut");
		s->out.len = (size_t)n;
	} else if (!do_integer(s, w)) {
		die(s, "unknown statement");
	}
}

static void
assemble(const char *root, const char *recipe, const char *out)
{
	struct sample s = {.root = root, .recipe = recipe};
	char *line = NULL;
	size_t cap = 0;
	struct words w;
	FILE *f;

	buf_init(&s.out, SAMPLE_MAX);
	buf_init(&s.member, SAMPLE_MAX);
	if ((f = fopen(recipe, "r")) == NULL)
		die(&s, "cannot read the recipe");
	while (getline(&line, &cap, f) > 0) {
		s.line++;
		if (line[strspn(line, " \t")] == '#')
			continue;
		split(&s, line, &w);
		if (w.count > 0)
			statement(&s, &w);
	}
	free(line);
	(void)fclose(f);
	if (s.nzip > 0)
		die(&s, "zip-end is missing");
	if (buf_failed(&s.out) < 0 || (f = fopen(out, "wb")) == NULL ||
	    fwrite(s.out.p, 1, s.out.len, f) != s.out.len ||
	    fclose(f) != 0)
		die(&s, "cannot write the sample");
	buf_release(&s.out);
	buf_release(&s.member);
}

static void
folder(const char *root, const char *dir, const char *out)
{
	char from[1024], to[1024];
	struct dirent *de;
	size_t n;
	DIR *d;

	(void)snprintf(from, sizeof(from), "%s/%s", root, dir);
	if ((d = opendir(from)) == NULL)
		return;
	(void)snprintf(to, sizeof(to), "%s/%s", out, dir);
	while ((de = readdir(d)) != NULL) {
		n = strlen(de->d_name);
		if (n <= 7 || strcmp(de->d_name + n - 7, ".recipe") != 0)
			continue;
		(void)mkdir(to, 0755);
		(void)snprintf(from, sizeof(from), "%s/%s/%s", root, dir,
		    de->d_name);
		(void)snprintf(to, sizeof(to), "%s/%s/%.*s", out, dir,
		    (int)(n - 7), de->d_name);
		assemble(root, from, to);
		(void)snprintf(to, sizeof(to), "%s/%s", out, dir);
	}
	(void)closedir(d);
}

int
main(int argc, char **argv)
{
	struct dirent *de;
	DIR *d;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: mksample SAMPLES OUT\n");
		return 64;
	}
	if (mkdir(argv[2], 0755) < 0 && errno != EEXIST) {
		(void)fprintf(stderr, "cannot make '%s'\n", argv[2]);
		return 1;
	}
	if ((d = opendir(argv[1])) == NULL) {
		(void)fprintf(stderr, "cannot read '%s'\n", argv[1]);
		return 1;
	}
	while ((de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			folder(argv[1], de->d_name, argv[2]);
	(void)closedir(d);
	return 0;
}
