#include <stdlib.h>
#include <string.h>

#include "tools/mksample.h"

/* Pickle opcodes by pickletools' names, and how arguments are written. */
enum arg { ARG_NONE, ARG_U8, ARG_U16, ARG_U32, ARG_U64, ARG_F64, ARG_LINE,
	ARG_LINES, ARG_STR8, ARG_STR32, ARG_STR64 };

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
    {"LONG", 'L', ARG_LINE}, {"LONG1", '\x8a', ARG_STR8},
    {"LONG4", '\x8b', ARG_STR32}, {"FLOAT", 'F', ARG_LINE},
    {"BINFLOAT", 'G', ARG_F64}, {"STRING", 'S', ARG_LINE},
    {"BINSTRING", 'T', ARG_STR32}, {"SHORT_BINSTRING", 'U', ARG_STR8},
    {"UNICODE", 'V', ARG_LINE}, {"BINUNICODE", 'X', ARG_STR32},
    {"SHORT_BINUNICODE", '\x8c', ARG_STR8},
    {"BINUNICODE8", '\x8d', ARG_STR64}, {"SHORT_BINBYTES", 'C', ARG_STR8},
    {"BINBYTES", 'B', ARG_STR32}, {"BINBYTES8", '\x8e', ARG_STR64},
    {"BYTEARRAY8", '\x96', ARG_STR64}, {"NEXT_BUFFER", '\x97', ARG_NONE},
    {"READONLY_BUFFER", '\x98', ARG_NONE}, {"EMPTY_DICT", '}', ARG_NONE},
    {"EMPTY_LIST", ']', ARG_NONE}, {"EMPTY_TUPLE", ')', ARG_NONE},
    {"EMPTY_SET", '\x8f', ARG_NONE}, {"TUPLE", 't', ARG_NONE},
    {"LIST", 'l', ARG_NONE}, {"DICT", 'd', ARG_NONE},
    {"APPEND", 'a', ARG_NONE}, {"APPENDS", 'e', ARG_NONE},
    {"SETITEM", 's', ARG_NONE}, {"SETITEMS", 'u', ARG_NONE},
    {"ADDITEMS", '\x90', ARG_NONE}, {"FROZENSET", '\x91', ARG_NONE},
    {"PUT", 'p', ARG_LINE}, {"GET", 'g', ARG_LINE},
    {"BINPUT", 'q', ARG_U8}, {"BINGET", 'h', ARG_U8},
    {"LONG_BINPUT", 'r', ARG_U32}, {"LONG_BINGET", 'j', ARG_U32},
    {"MEMOIZE", '\x94', ARG_NONE}, {"PROTO", '\x80', ARG_U8},
    {"NEWOBJ", '\x81', ARG_NONE}, {"NEWOBJ_EX", '\x92', ARG_NONE},
    {"EXT1", '\x82', ARG_U8}, {"EXT2", '\x83', ARG_U16},
    {"EXT4", '\x84', ARG_U32}, {"TUPLE1", '\x85', ARG_NONE},
    {"TUPLE2", '\x86', ARG_NONE}, {"TUPLE3", '\x87', ARG_NONE},
    {"NEWTRUE", '\x88', ARG_NONE}, {"NEWFALSE", '\x89', ARG_NONE},
    {"PERSID", 'P', ARG_LINE}, {"BINPERSID", 'Q', ARG_NONE},
    {"STACK_GLOBAL", '\x93', ARG_NONE}, {"FRAME", '\x95', ARG_U64}};

static void
put_float(const struct stmt *s, const struct word *w, struct buf *b)
{
	char text[64], *end;
	uint64_t bits;
	double v;

	if (w->n == 0 || w->n >= sizeof(text))
		die(s, "not a number");
	memcpy(text, w->p, w->n);
	text[w->n] = '\0';
	v = strtod(text, &end);
	if (*end != '\0')
		die(s, "not a number");
	memcpy(&bits, &v, sizeof(bits));
	put_be(b, bits, 8);
}

static void
argument(const struct stmt *s, const struct opcode *o, const struct word *w,
    unsigned count, struct buf *b)
{
	static const unsigned widths[] = {0, 1, 2, 4, 8, 8, 0, 0, 1, 4, 8};
	unsigned want = o->arg == ARG_NONE ? 0 : o->arg == ARG_LINES ? 2 : 1;

	if (count != 1 + want)
		die(s, "wrong number of arguments for this opcode");
	if (o->arg >= ARG_STR8) {
		put_le(b, w[1].n, widths[o->arg]);
		buf_put(b, w[1].p, w[1].n);
	} else if (o->arg >= ARG_LINE) {
		for (unsigned i = 1; i < count; i++) {
			buf_put(b, w[i].p, w[i].n);
			buf_putc(b, '\n');
		}
	} else if (o->arg == ARG_F64) {
		put_float(s, &w[1], b);
	} else if (want > 0) {
		put_le(b, w[1].n > 0 && w[1].p[0] == '-' ?
		    (uint64_t)word_signed(s, &w[1]) : word_number(s, &w[1]),
		    widths[o->arg]);
	}
}

bool
op_put(const struct stmt *s, const struct word *w, unsigned count,
    struct buf *b)
{
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
		if (word_is(&w[0], opcodes[i].name)) {
			buf_putc(b, opcodes[i].code);
			argument(s, &opcodes[i], w, count, b);
			return true;
		}
	return false;
}
