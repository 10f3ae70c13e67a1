#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/reader.h"
#include "formats/pickle_vm.h"

/*
 * Who is a pickle?  No magic number says so before protocol 2, and bytes of
 * other formats begin like one (GIF89a, BM and MZ are opcodes).  So the head
 * is run dry: opcodes with their arguments, the depth of stack and marks.
 * What reaches STOP, or the end of the window after DRY_ENOUGH opcodes,
 * without an underflow is plausible; so is what breaks behind a call of a
 * global, since all that comes before the break has run by then.
 */
#define DRY_ENOUGH 16

struct dry {
	struct cursor c;
	int64_t depth;
	unsigned marks, ops;
	int64_t mark[64];
	bool cut;		/* an argument passes the window */
	bool named, called;	/* a global, and a call with one before it */
};

/* An integer may be of any length. */
static bool
all_digits(struct cursor c)
{
	uint8_t b;

	while (cursor_u8(&c, &b))
		if (!((b >= '0' && b <= '9') || (b >= 'a' && b <= 'f') ||
		    (b >= 'A' && b <= 'F') || b == 'x' || b == 'X' ||
		    b == '_' || b == '-' || b == 'L'))
			return false;
	return true;
}

/* GLOBAL and INST: are both lines, which c stands before, dotted names? */
static bool
are_names(struct cursor c)
{
	struct cursor line;

	for (unsigned i = 0; i < 2; i++) {
		if (!cursor_line(&c, '\n', &line) || line.len == 0)
			return false;
		for (size_t k = 0; k < line.len; k++) {
			uint8_t b = line.buf[k];

			if (!((b >= 'a' && b <= 'z') ||
			    (b >= 'A' && b <= 'Z') || b == '_' || b == '.' ||
			    (b >= '0' && b <= '9')))
				return false;
		}
	}
	return true;
}

/* What an opcode that fitted says of names and calls. */
static void
dry_note(struct dry *d, uint8_t code, bool names)
{
	if (names && code == 'i')
		d->called = true;
	d->named |= names || code == 0x93;
	d->called |= d->named && (code == 'R' || code == 'o' ||
	    code == 0x81 || code == 0x92);
}

/* A text argument; names and numbers are short and printable. */
static bool
dry_line(struct dry *d, uint8_t code)
{
	bool free_text = code == 'V' || code == 'S' || code == 'P';
	struct cursor line;

	if (!cursor_line(&d->c, '\n', &line)) {
		d->cut = true;
		return free_text || cursor_left(&d->c) < 128 ||
		    ((code == 'L' || code == 'I') && all_digits(d->c));
	}
	if (free_text)
		return true;
	for (size_t k = 0; k < line.len; k++)
		if (line.buf[k] < 0x20 && line.buf[k] != '\t' &&
		    line.buf[k] != '\0')
			return false;
	return line.len <= 512 || ((code == 'L' || code == 'I') &&
	    all_digits(line));
}

static bool
dry_argument(struct dry *d, uint8_t code, enum pickle_arg arg, uint64_t size)
{
	static const unsigned widths[] = {0, 1, 2, 4, 8, 4, 8, 1, 4, 4, 8};
	uint64_t n = 0;
	uint8_t b;

	if (arg == ARG_LINES)
		return dry_line(d, code) && (d->cut || dry_line(d, code));
	if (arg == ARG_LINE)
		return dry_line(d, code);
	for (unsigned i = 0; i < widths[arg]; i++) {
		if (!cursor_u8(&d->c, &b)) {
			d->cut = true;
			return true;
		}
		n |= (uint64_t)b << (8 * i);
	}
	if (arg < ARG_N1 || arg > ARG_N8)
		return true;
	if (n > size)
		return false;
	if (n > cursor_left(&d->c)) {
		d->cut = true;
		return true;
	}
	return cursor_skip(&d->c, n);
}

/* How many values an opcode takes and gives; marks are done apart. */
static bool
dry_effect(struct dry *d, uint8_t code)
{
	static const char gives[] = "IJKMLFGNSTUBCVX]})cQPghj";
	unsigned take = 0, give = 0;

	if (code == '(') {
		if (d->marks == 64)
			return false;
		d->mark[d->marks++] = d->depth;
		return true;
	}
	if (memchr("elotdui1\x90\x91", code, 10) != NULL) {
		if (d->marks == 0 || d->mark[d->marks - 1] > d->depth)
			return false;
		d->depth = d->mark[--d->marks];
		give = strchr("ltdio", code) != NULL || code == 0x91;
		if ((code == 'e' || code == 'u' || code == 0x90) &&
		    d->depth < 1)
			return false;
	} else if (strchr(gives, code) != NULL ||
	    (code >= 0x82 && code <= 0x84) || (code >= 0x88 && code <= 0x8f) ||
	    code == 0x96 || code == 0x97) {
		take = code == 'Q';
		give = 1;
	} else if (code >= 0x85 && code <= 0x87) {
		take = code - 0x84U;
		give = 1;
	} else if (strchr("aR0b", code) != NULL || code == 0x81 ||
	    code == 0x93) {
		take = code == '0' ? 1 : 2;
		give = code != '0';
	} else if (code == 's' || code == 0x92) {
		take = 3;
		give = 1;
	} else if (code == '2' || code == 'p' || code == 'q' || code == 'r' ||
	    code == 0x94 || code == '.' || code == 0x98) {
		if (d->depth < 1)
			return false;
		give = code == '2';
	}
	/* POP of a mark. */
	if (code == '0' && d->marks > 0 && d->mark[d->marks - 1] == d->depth) {
		d->marks--;
		return true;
	}
	if (d->depth < (int64_t)take)
		return false;
	d->depth += (int64_t)give - (int64_t)take;
	return true;
}

/* The arguments of text opcodes must be what they claim to be. */
static bool
dry_text_ok(const struct dry *d, uint8_t code)
{
	struct cursor c = d->c;
	uint8_t b;

	if (code == 'I' || code == 'L' || code == 'F' || code == 'p' ||
	    code == 'g')
		return cursor_peek(&c, 0, &b) && ((b >= '0' && b <= '9') ||
		    b == '-' || b == '+' || b == ' ' || b == '.' ||
		    (code == 'F' && (b == 'i' || b == 'n')));
	if (code == 'S')
		return cursor_peek(&c, 0, &b) && (b == '\'' || b == '"');
	if (code == 'c' || code == 'i')
		return cursor_peek(&c, 0, &b) && ((b >= 'a' && b <= 'z') ||
		    (b >= 'A' && b <= 'Z') || b == '_');
	return true;
}

unsigned
pickle_plausible(struct cursor head, uint64_t size)
{
	struct dry d = {.c = head};
	const struct pickle_opinfo *info;
	uint8_t code, proto = 0, first;
	bool strong, names;

	strong = cursor_peek(&head, 0, &first) && first == 0x80 &&
	    cursor_peek(&head, 1, &proto) && proto >= 2 && proto <= 5;
	while (!d.cut && cursor_u8(&d.c, &code)) {
		info = pickle_opinfo(code);
		names = (code == 'c' || code == 'i') && are_names(d.c);
		if (info->name == NULL || !dry_text_ok(&d, code) ||
		    !dry_argument(&d, code, info->arg, size) ||
		    !dry_effect(&d, code))
			/* A proto head that breaks later is still a pickle. */
			return strong && d.ops >= 2 ? 28 : d.called ? 16 : 0;
		dry_note(&d, code, names);
		d.ops++;
		if (code == '.')
			return strong ? 40 : d.ops < 8 ? 10 + d.ops : 20;
	}
	if (strong)
		return d.ops >= 2 ? 36 : 24;
	return d.called || d.ops >= DRY_ENOUGH || (d.cut && d.ops >= 1 &&
	    cursor_left(&head) == 4096) ? 16 : 0;
}

/*
 * "PK" begins a persistent id, which no loader of pickles gives a meaning to
 * that does not look for a zip first; behind it every archive's file names
 * would be read as opcodes.
 */
static unsigned
pickle_bid(struct cursor head, uint64_t size)
{
	static const uint8_t local[] = {'P', 'K', 3, 4};
	struct cursor c = head;

	return cursor_match(&c, local, 4) ? 0 : pickle_plausible(head, size);
}

/* Are all bytes from here on zero?  *at is the first that is not. */
static int
zero_tail(struct parse *p, struct reader *rd, bool *zero)
{
	uint64_t off = reader_tell(rd);
	uint8_t b;
	int r = 0;

	*zero = true;
	while (reader_left(rd) > 0 && *zero) {
		if ((r = reader_u8(rd, &b, p->e)) < 0)
			return r;
		*zero = b == 0;
	}
	return reader_seek(rd, off, p->e);
}

/* After STOP: another pickle (1), or the end, told (0). */
static int
what_follows(struct pickle_vm *vm)
{
	struct parse *p = vm->p;
	uint64_t off = reader_tell(vm->r), left = reader_left(vm->r);
	uint8_t head[FORMAT_HEAD];
	struct cursor c;
	bool zero;
	size_t n;
	int r;

	if (left == 0)
		return 0;
	if ((r = zero_tail(p, vm->r, &zero)) < 0)
		return r;
	if (zero)
		return format_anomaly(p, ANOMALY_TRAILING_ZERO, off, left,
		    NULL, 0);
	if ((r = bytesrc_read_some(p->src, off, head, sizeof(head), &n,
	    p->e)) < 0)
		return r;
	cursor_init(&c, head, n, off);
	if (pickle_plausible(c, left) > 0) {
		r = format_anomaly(p, ANOMALY_PICKLE_STACKED, off, left, NULL,
		    0);
		return r < 0 ? r : 1;
	}
	if ((r = format_anomaly(p, ANOMALY_TRAILING, off, left, NULL, 0)) < 0)
		return r;
	return pickle_carve(vm, off);
}

/* All pickles of the object in one view; 1 when one could not go on. */
static int
run_view(struct pickle_vm *vm)
{
	const struct pv *result;
	unsigned stream = 0;
	int r;

	do {
		r = pickle_run_one(vm, stream++, &result);
		if (r == 1) {
			r = pickle_carve(vm, vm->broke);
			return r < 0 ? r : 1;
		}
		if (r < 0)
			return r;
		r = what_follows(vm);
	} while (r == 1);
	return r;
}

/*
 * Once more as an unbuffered reader would, from where that parts from the
 * linear view; what is odd about the bytes has been told already.
 */
static int
run_unframed(struct parse *p, const struct pickle_hooks *h, uint64_t from)
{
	struct events calls = *p->ev;
	struct parse q = *p;
	struct pickle_vm *vm;
	struct reader rd;
	int r;

	calls.anomaly = NULL;
	calls.tensor = NULL;
	calls.meta = NULL;
	calls.name = NULL;
	q.ev = &calls;
	if ((r = reader_init(&rd, p->src, 0, p->window, p->arena, p->e)) < 0)
		return r;
	if ((vm = pickle_vm_new(&q, &rd, h)) == NULL)
		return ERR_NOMEM;
	vm->flags = CALL_UNFRAMED;
	vm->tell_from = from;
	r = run_view(vm);
	return r < 0 ? r : 0;
}

int
pickle_parse_with(struct parse *p, const struct pickle_hooks *h)
{
	struct pickle_vm *vm;
	struct reader rd;
	int r, again = 0;

	if ((r = reader_init(&rd, p->src, 0, p->window, p->arena, p->e)) < 0)
		return r;
	if ((vm = pickle_vm_new(p, &rd, h)) == NULL)
		return ERR_NOMEM;
	if ((r = run_view(vm)) >= 0 && vm->frame_told)
		again = run_unframed(p, h, vm->frame_off);
	return again < 0 ? again : r;
}

int
pickle_embedded(struct parse *p, uint64_t off, uint64_t len, const char *name,
    unsigned bits)
{
	struct ev_member m = {.name = name, .name_len = strlen(name),
	    .off = off, .size = len, .format = "pickle",
	    .flags = MEMBER_VIRTUAL | MEMBER_DORMANT};
	uint8_t head[FORMAT_HEAD];
	struct cursor c;
	size_t n;
	int r;

	if (len < 8 || off > p->size || len > p->size - off)
		return 0;
	if ((r = bytesrc_read_some(p->src, off, head, len < sizeof(head) ?
	    (size_t)len : sizeof(head), &n, p->e)) < 0)
		return r;
	cursor_init(&c, head, n, off);
	if (n < 8 || pickle_plausible(c, len) < bits)
		return 0;
	return format_member_range(p, &m);
}

static int
pickle_parse(struct parse *p)
{
	return pickle_parse_with(p, NULL);
}

const struct format format_pickle = {
    .name = "pickle",
    .kind = FORMAT_MODEL,
    .bid = pickle_bid,
    .parse = pickle_parse,
};
