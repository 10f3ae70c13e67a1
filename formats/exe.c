#include <string.h>

#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "formats/exe.h"
#include "formats/format.h"

/*
 * Programs as objects: what kind, for which machine, and where by their own
 * headers they end.  The code is not judged.  What stands behind the end is
 * an object of its own: installers put archives there, and so do droppers.
 */
struct extent {
	struct parse *p;
	uint64_t end;		/* the furthest byte that a header claims */
	bool cut;		/* one was beyond the object */
};

static void
claim(struct extent *x, uint64_t off, uint64_t len)
{
	if (len == 0)
		return;
	if (!ckd_range(off, len, x->p->size)) {
		x->cut = true;
		x->end = x->p->size;
	} else if (off + len > x->end) {
		x->end = off + len;
	}
}

static int
read_at(struct parse *p, uint64_t off, uint8_t *buf, size_t n,
    struct cursor *c)
{
	int r;

	if (!ckd_range(off, n, p->size))
		return 1;
	if ((r = bytesrc_read(p->src, off, buf, n, p->e)) < 0)
		return r;
	cursor_init(c, buf, n, off);
	return 0;
}

static int
tell_program(struct parse *p, const char *kind, const char *machine,
    const char *what)
{
	const struct fact f[] = {FACT_TEXT("kind", kind, strlen(kind)),
	    FACT_TEXT("machine", machine, strlen(machine)),
	    FACT_TEXT("what", what, strlen(what))};

	return format_anomaly(p, ANOMALY_EXE_PROGRAM, 0, 0, f, 3);
}

/* Only zeros from here on?  1, 0, or negative. */
static int
is_zero(struct parse *p, uint64_t off)
{
	uint8_t chunk[4096];
	size_t n;
	int r;

	for (; off < p->size; off += n) {
		if ((r = bytesrc_read_some(p->src, off, chunk, sizeof(chunk),
		    &n, p->e)) < 0)
			return r;
		for (size_t i = 0; i < n; i++)
			if (chunk[i] != 0)
				return 0;
	}
	return 1;
}

static int
finish(struct extent *x)
{
	struct parse *p = x->p;
	struct ev_member m = {.name = "overlay", .name_len = 7,
	    .off = x->end, .size = p->size - x->end,
	    .flags = MEMBER_VIRTUAL};
	int r;

	if (x->cut)
		return (r = format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0,
		    NULL, 0)) < 0 ? r : 1;
	if (m.size == 0)
		return 0;
	if ((r = is_zero(p, x->end)) != 0)
		return r < 0 ? r : format_anomaly(p, ANOMALY_TRAILING_ZERO,
		    m.off, m.size, NULL, 0);
	if ((r = format_anomaly(p, ANOMALY_EXE_OVERLAY, m.off, m.size, NULL,
	    0)) < 0)
		return r;
	return format_member_range(p, &m);
}

/* --- ELF ---------------------------------------------------------------- */

/* Program header: 0 type 4 (64 bit: flags 4)  offset W  ... */
static int
elf_segments(struct extent *x, const struct exe_elf *h)
{
	uint64_t off, addr, filesz;
	uint8_t buf[64];
	struct cursor c;
	int r;

	for (unsigned i = 0; i < h->phnum; i++) {
		r = read_at(x->p, h->phoff + (uint64_t)i * h->phentsize, buf,
		    h->phentsize, &c);
		if (r < 0)
			return r;
		if (r == 0 && cursor_skip(&c, h->o.wide ? 8 : 4) &&
		    exe_word(&c, h->o, &off) && exe_word(&c, h->o, &addr) &&
		    exe_word(&c, h->o, &addr) && exe_word(&c, h->o, &filesz))
			claim(x, off, filesz);
	}
	claim(x, h->phoff, (uint64_t)h->phnum * h->phentsize);
	return 0;
}

/*
 * Section header: 0 name 4  4 type 4  8 flags W  addr W  offset W  size W.
 * Type 8 has no bytes in the file.  With more than 65279 sections the number
 * stands in the size of the first (gABI, "Sections").
 */
static int
elf_sections(struct extent *x, const struct exe_elf *h)
{
	uint64_t flags, addr, off, size, count = h->shnum;
	uint32_t name, type;
	uint8_t buf[64];
	struct cursor c;
	int r;

	if (h->shoff == 0 || h->shentsize == 0)
		return 0;
	for (uint64_t i = 0; i < (count > 0 ? count : 1); i++) {
		if (i * h->shentsize > x->p->size - (h->shoff < x->p->size ?
		    h->shoff : x->p->size))
			break;
		if ((r = read_at(x->p, h->shoff + i * h->shentsize, buf,
		    h->shentsize, &c)) < 0)
			return r;
		if (r > 0)
			break;
		if (!exe_u32(&c, h->o, &name) || !exe_u32(&c, h->o, &type) ||
		    !exe_word(&c, h->o, &flags) ||
		    !exe_word(&c, h->o, &addr) || !exe_word(&c, h->o, &off) ||
		    !exe_word(&c, h->o, &size))
			return 0;
		if (i == 0 && count == 0)
			count = size;
		else if (type != 8 && type != 0)
			claim(x, off, size);
	}
	claim(x, h->shoff, count > UINT32_MAX ? UINT64_MAX :
	    count * h->shentsize);
	return 0;
}

static unsigned
elf_bid(struct cursor head, uint64_t size)
{
	struct exe_elf h;

	return exe_elf(head, size, &h) ? 120 : 0;
}

static int
elf_parse(struct parse *p)
{
	static const char *const types[] = {"", "object file", "executable",
	    "shared object", "core dump"};
	struct extent x = {.p = p};
	uint8_t head[64];
	struct exe_elf h;
	struct cursor c;
	int r;

	if ((r = format_head(p, head, sizeof(head), &c)) < 0)
		return r;
	if (!exe_elf(c, p->size, &h))
		return (r = format_anomaly(p, ANOMALY_MALFORMED, 0, c.len, NULL,
		    0)) < 0 ? r : 1;
	if ((r = tell_program(p, "elf", exe_machine_elf(h.machine), h.type <=
	    4 ? types[h.type] : "of its system")) < 0 ||
	    (r = elf_segments(&x, &h)) < 0 || (r = elf_sections(&x, &h)) < 0)
		return r;
	claim(&x, 0, h.ehsize);
	return finish(&x);
}

/* --- PE ----------------------------------------------------------------- */

/* Section: 0 name 8  8 size 4  12 addr 4  16 raw size 4  20 raw offset 4 */
static int
pe_sections(struct extent *x, const struct exe_pe *h)
{
	const uint64_t table = (uint64_t)h->lfanew + 24 + h->optional;
	uint32_t size, off;
	uint8_t buf[40];
	struct cursor c;
	int r;

	for (unsigned i = 0; i < h->sections; i++) {
		if ((r = read_at(x->p, table + 40ULL * i, buf, sizeof(buf),
		    &c)) < 0)
			return r;
		if (r == 0 && cursor_skip(&c, 16) &&
		    cursor_u32le(&c, &size) && cursor_u32le(&c, &off))
			claim(x, off, size);
	}
	claim(x, 0, h->headers);
	claim(x, table, 40ULL * h->sections);
	return 0;
}

/* The certificate table is directory 4, and alone has a file offset. */
static int
pe_certificates(struct extent *x, const struct exe_pe *h)
{
	const uint64_t at = (uint64_t)h->lfanew + 24 + (h->plus ? 112 : 96);
	uint32_t off, size;
	uint8_t buf[8];
	struct cursor c;
	int r;

	if (h->optional < (h->plus ? 112U : 96U) + 5 * 8)
		return 0;
	if ((r = read_at(x->p, at + 4 * 8, buf, sizeof(buf), &c)) < 0)
		return r;
	if (r == 0 && cursor_u32le(&c, &off) && cursor_u32le(&c, &size))
		claim(x, off, size);
	return 0;
}

static unsigned
pe_bid(struct cursor head, uint64_t size)
{
	struct exe_pe h;

	return exe_pe(head, size, &h) ? 80 : 0;
}

static int
pe_parse(struct parse *p)
{
	static uint8_t head[FORMAT_HEAD];
	struct extent x = {.p = p};
	struct cursor c;
	struct exe_pe h;
	int r;

	if ((r = format_head(p, head, sizeof(head), &c)) < 0)
		return r;
	if (!exe_pe(c, p->size, &h))
		return (r = format_anomaly(p, ANOMALY_MALFORMED, 0, c.len, NULL,
		    0)) < 0 ? r : 1;
	if ((r = tell_program(p, "pe", exe_machine_pe(h.machine), h.dll ?
	    "library" : "executable")) < 0 ||
	    (r = pe_sections(&x, &h)) < 0 ||
	    (r = pe_certificates(&x, &h)) < 0)
		return r;
	return finish(&x);
}

/* --- Mach-O ------------------------------------------------------------- */

enum { LC_SEGMENT = 0x01, LC_SYMTAB = 0x02, LC_SEGMENT_64 = 0x19 };

/*
 * Segment: 0 cmd, size 8  8 name 16  addr W  size W  offset W  filesize W.
 * Symbols: 8 offset 4  12 count 4  16 offset 4  20 size 4.
 */
static void
macho_command(struct extent *x, const struct exe_macho *h, uint32_t cmd,
    struct cursor c)
{
	struct exe_order o = {h->o.big, cmd == LC_SEGMENT_64};
	uint64_t addr, size, off, len;
	uint32_t sym, count, str, strings;

	if (cmd == LC_SYMTAB) {
		if (exe_u32(&c, o, &sym) && exe_u32(&c, o, &count) &&
		    exe_u32(&c, o, &str) && exe_u32(&c, o, &strings)) {
			claim(x, sym, (h->o.wide ? 16ULL : 12ULL) * count);
			claim(x, str, strings);
		}
		return;
	}
	if ((cmd == LC_SEGMENT || cmd == LC_SEGMENT_64) &&
	    cursor_skip(&c, 16) && exe_word(&c, o, &addr) &&
	    exe_word(&c, o, &size) && exe_word(&c, o, &off) &&
	    exe_word(&c, o, &len))
		claim(x, off, len);
}

static int
macho_commands(struct extent *x, const struct exe_macho *h)
{
	uint64_t at = h->header;
	uint32_t cmd, size;
	uint8_t buf[64];
	struct cursor c;
	size_t n;
	int r;

	claim(x, 0, (uint64_t)h->header + h->cmds);
	for (uint32_t i = 0; i < h->ncmds && at < x->p->size; i++) {
		if ((r = bytesrc_read_some(x->p->src, at, buf, sizeof(buf),
		    &n, x->p->e)) < 0)
			return r;
		cursor_init(&c, buf, n, at);
		if (!exe_u32(&c, h->o, &cmd) || !exe_u32(&c, h->o, &size) ||
		    size < 8)
			return 0;
		macho_command(x, h, cmd, c);
		at += size;
	}
	return 0;
}

static int
macho_archs(struct extent *x, const struct exe_macho *h)
{
	const unsigned row = h->o.wide ? 32 : 20;
	uint64_t off, size;
	uint8_t buf[32];
	struct cursor c;
	int r;

	for (uint32_t i = 0; i < h->narch; i++) {
		if ((r = read_at(x->p, h->header + (uint64_t)i * row, buf,
		    row, &c)) < 0)
			return r;
		if (r == 0 && cursor_skip(&c, 8) &&
		    exe_word(&c, h->o, &off) && exe_word(&c, h->o, &size))
			claim(x, off, size);
	}
	return 0;
}

static unsigned
macho_bid(struct cursor head, uint64_t size)
{
	struct exe_macho h;

	return exe_macho(head, size, &h) ? 88 : 0;
}

static int
macho_parse(struct parse *p)
{
	static uint8_t head[FORMAT_HEAD];
	struct extent x = {.p = p};
	struct exe_macho h;
	struct cursor c;
	int r;

	if ((r = format_head(p, head, sizeof(head), &c)) < 0)
		return r;
	if (!exe_macho(c, p->size, &h))
		return (r = format_anomaly(p, ANOMALY_MALFORMED, 0, c.len, NULL,
		    0)) < 0 ? r : 1;
	if ((r = tell_program(p, "macho", exe_machine_macho(h.cpu), h.fat ?
	    "for several machines" : h.type == 2 ? "executable" :
	    "library or object file")) < 0 ||
	    (r = h.fat ? macho_archs(&x, &h) : macho_commands(&x, &h)) < 0)
		return r;
	return finish(&x);
}

/* --- WebAssembly -------------------------------------------------------- */

static unsigned
wasm_bid(struct cursor head, uint64_t size)
{
	const char *kind = "";

	return exe_binary(head, size, &kind) > 0 &&
	    strcmp(kind, "wasm") == 0 ? 64 : 0;
}

/* Sections of an id and a LEB128 length follow each other to the end. */
static int
wasm_parse(struct parse *p)
{
	struct extent x = {.p = p, .end = 8};
	uint64_t len;
	uint8_t buf[16], id;
	struct cursor c;
	size_t n;
	int r;

	if (p->size < x.end)
		return (r = format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0,
		    NULL, 0)) < 0 ? r : 1;
	if ((r = tell_program(p, "wasm", "wasm", "module")) < 0)
		return r;
	while (x.end < p->size && !x.cut) {
		if ((r = bytesrc_read_some(p->src, x.end, buf, sizeof(buf),
		    &n, p->e)) < 0)
			return r;
		cursor_init(&c, buf, n, x.end);
		if (!cursor_u8(&c, &id) || id > 13 ||
		    !cursor_varint(&c, &len))
			break;
		x.end = cursor_tell(&c);
		claim(&x, x.end, len);
	}
	return finish(&x);
}

const struct format format_elf = {
    .name = "elf",
    .kind = FORMAT_MODEL,
    .bid = elf_bid,
    .parse = elf_parse,
};

const struct format format_pe = {
    .name = "pe",
    .kind = FORMAT_MODEL,
    .bid = pe_bid,
    .parse = pe_parse,
};

const struct format format_macho = {
    .name = "macho",
    .kind = FORMAT_MODEL,
    .bid = macho_bid,
    .parse = macho_parse,
};

const struct format format_wasm = {
    .name = "wasm",
    .kind = FORMAT_MODEL,
    .bid = wasm_bid,
    .parse = wasm_parse,
};
