#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/pickle_vm.h"

/*
 * Pickles behind a break, or behind bytes that are none: what another reader
 * could be made to load, and what a loader would have read on to where we
 * could not.
 *
 * The bytes are searched for heads: PROTO with a plausible run behind it,
 * GLOBAL or INST with two lines that are names, and two short strings with
 * STACK_GLOBAL behind them.  From each the machine runs for calls alone (an
 * error ends that run and nothing is told of it), and the search goes on
 * behind what it has read.
 */
#define WINDOW (64 * KIB)
#define OVERLAP 600		/* of two windows: longer than any head */
#define RUNS_MAX 2000		/* heads that are followed */

static bool
name_byte(uint8_t b)
{
	return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') ||
	    (b >= '0' && b <= '9') || b == '_' || b == '.';
}

/*
 * A line of a name: c takes it.  Byte by byte: in a window without a line feed
 * looking for one from each 'c' is quadratic.
 */
#define NAME_MAX_LEN 128

static bool
name_line(struct cursor *c)
{
	size_t n = 0;
	uint8_t b;

	if (cursor_peek(c, 0, &b) && b >= '0' && b <= '9')
		return false;
	while (n <= NAME_MAX_LEN && cursor_peek(c, n, &b) && name_byte(b))
		n++;
	return n > 0 && n <= NAME_MAX_LEN && cursor_peek(c, n, &b) &&
	    b == '\n' && cursor_skip(c, n + 1);
}

/* SHORT_BINUNICODE with a name, and a memo opcode behind it or not. */
static bool
name_text(struct cursor *c)
{
	uint8_t code, n, b;

	if (!cursor_u8(c, &code) || code != 0x8c || !cursor_u8(c, &n) ||
	    n == 0 || n > 128)
		return false;
	for (; n > 0; n--)
		if (!cursor_u8(c, &b) || !name_byte(b))
			return false;
	if (cursor_peek(c, 0, &b) && b == 0x94)
		return cursor_u8(c, &b);
	if (cursor_peek(c, 0, &b) && b == 'q')
		return cursor_skip(c, 2);
	return true;
}

static bool
is_head(struct cursor c, uint64_t left)
{
	struct cursor d = c;
	uint8_t code, b;

	if (!cursor_u8(&d, &code))
		return false;
	switch (code) {
	case 0x80:
		return cursor_u8(&d, &b) && b >= 2 && b <= 5 &&
		    pickle_plausible(c, left) > 0;
	case '(':
		if (!cursor_peek(&d, 0, &b) || b != 'c')
			return false;
		return cursor_u8(&d, &b) && name_line(&d) && name_line(&d);
	case 'c':
		return name_line(&d) && name_line(&d);
	case 0x8c:
		return name_text(&c) && name_text(&c) && cursor_u8(&c, &b) &&
		    b == 0x93;
	default:
		return false;
	}
}

static bool
may_begin(uint8_t b)
{
	return b == 0x80 || b == '(' || b == 'c' || b == 0x8c;
}

/* Run from ${off} for its calls; *end is where it came to. */
static int
run_from(struct pickle_vm *vm, uint64_t off, uint64_t *end)
{
	struct events calls = *vm->p->ev;
	struct parse q = *vm->p;
	const struct pv *result;
	struct pickle_vm *inner;
	struct reader rd;
	int r;

	calls.anomaly = NULL;
	calls.tensor = NULL;
	calls.meta = NULL;
	q.ev = &calls;
	if ((r = reader_init(&rd, q.src, off, 4096, q.arena, q.e)) < 0)
		return r;
	if ((inner = pickle_vm_new(&q, &rd, NULL)) == NULL)
		return ERR_NOMEM;
	inner->w = vm->w;
	inner->flags = vm->flags | CALL_CARVED;
	inner->stream = vm->stream;
	r = pickle_run_one(inner, vm->stream + 1, &result);
	*end = r == 0 ? reader_tell(&rd) : off + 1;
	return r < 0 ? r : 0;
}

/* Look at one window; *next is where to go on. */
static int
search(struct pickle_vm *vm, const uint8_t *p, size_t n, uint64_t off,
    unsigned *runs, uint64_t *next)
{
	bool last = off + n >= vm->p->size;
	size_t stop = last || n <= OVERLAP ? n : n - OVERLAP;
	uint64_t end;
	struct cursor c;
	int r;

	for (size_t i = 0; i < stop; i++) {
		if (!may_begin(p[i]))
			continue;
		cursor_init(&c, p, n, off);
		if (!cursor_skip(&c, i) ||
		    !is_head(c, vm->p->size - (off + i)))
			continue;
		if (++*runs > RUNS_MAX)
			return ERR_LIMIT;
		if ((r = run_from(vm, off + i, &end)) < 0)
			return r;
		if (end > off + i + 1) {
			*next = end;
			return 0;
		}
	}
	*next = off + stop;
	return 0;
}

int
pickle_carve(struct pickle_vm *vm, uint64_t off)
{
	static uint8_t window[WINDOW];
	uint64_t next;
	unsigned runs = 0;
	size_t n;
	int r;

	while (off < vm->p->size) {
		if ((r = bytesrc_read_some(vm->p->src, off, window,
		    sizeof(window), &n, vm->p->e)) < 0)
			return r;
		if (n == 0)
			break;
		r = search(vm, window, n, off, &runs, &next);
		if (r == ERR_LIMIT)
			return format_anomaly(vm->p, ANOMALY_LIMIT, off,
			    vm->p->size - off, NULL, 0);
		if (r < 0)
			return r;
		off = next;
	}
	return 0;
}

/*
 * Bytes that no format explains, or that stand where none should: searched
 * from the first one on.
 */
static int
carved_parse(struct parse *p)
{
	struct pickle_vm *vm;
	struct reader rd;
	int r;

	if ((r = reader_init(&rd, p->src, 0, p->window, p->arena, p->e)) < 0)
		return r;
	if ((vm = pickle_vm_new(p, &rd, NULL)) == NULL)
		return ERR_NOMEM;
	return pickle_carve(vm, 0);
}

static unsigned
no_bid(struct cursor head, uint64_t size)
{
	(void)head;
	(void)size;
	return 0;
}

const struct format format_carved = {
    .name = "carved",
    .kind = FORMAT_DATA,
    .bid = no_bid,
    .parse = carved_parse,
};
