#include <string.h>

#include "base/ckd.h"
#include "formats/exe.h"
#include "formats/format.h"

/*
 * Headers of programs, field by field.  Each validator gets a copy of the
 * cursor and the number of bytes that the object has; nothing here reads
 * beyond FORMAT_HEAD, so that a carver may ask at every place of a stream.
 *
 * What an attacker could try: a header with one field out of its range, which
 * a loader ignores and a scanner does not.  So only fields are compared that
 * the kernel, ld.so, the Windows loader or dyld compare too, or that place
 * the tables.
 */

bool
exe_u16(struct cursor *c, struct exe_order o, uint16_t *ret)
{
	return o.big ? cursor_u16be(c, ret) : cursor_u16le(c, ret);
}

bool
exe_u32(struct cursor *c, struct exe_order o, uint32_t *ret)
{
	return o.big ? cursor_u32be(c, ret) : cursor_u32le(c, ret);
}

bool
exe_word(struct cursor *c, struct exe_order o, uint64_t *ret)
{
	uint32_t v;

	if (o.wide)
		return o.big ? cursor_u64be(c, ret) : cursor_u64le(c, ret);
	if (!exe_u32(c, o, &v))
		return false;
	*ret = v;
	return true;
}

struct machine {
	uint32_t id;
	const char *name;
};

static const char *
find_machine(const struct machine *m, uint32_t id)
{
	for (; m->name != NULL; m++)
		if (m->id == id)
			return m->name;
	return NULL;
}

const char *
exe_machine_elf(uint16_t machine)
{
	static const struct machine rows[] = {{2, "sparc"}, {3, "i386"},
	    {4, "m68k"}, {8, "mips"}, {10, "mips-le"}, {15, "parisc"},
	    {18, "sparc32plus"}, {20, "ppc"}, {21, "ppc64"}, {22, "s390"},
	    {40, "arm"}, {41, "alpha"}, {42, "sh"}, {43, "sparcv9"},
	    {50, "ia64"}, {62, "x86-64"}, {83, "avr"}, {92, "or1k"},
	    {93, "arc"}, {94, "xtensa"}, {164, "hexagon"}, {183, "aarch64"},
	    {189, "microblaze"}, {190, "cuda"}, {191, "tilegx"},
	    {195, "arcv2"}, {224, "amdgpu"}, {243, "riscv"}, {247, "bpf"},
	    {251, "ve"}, {252, "csky"}, {258, "loongarch"},
	    {0x9026, "alpha"}, {0, NULL}};

	return find_machine(rows, machine);
}

const char *
exe_machine_pe(uint16_t machine)
{
	static const struct machine rows[] = {{0x14c, "i386"},
	    {0x166, "mips"}, {0x1a2, "sh3"}, {0x1a6, "sh4"}, {0x1c0, "arm"},
	    {0x1c2, "thumb"}, {0x1c4, "armv7"}, {0x1f0, "ppc"},
	    {0x200, "ia64"}, {0xebc, "efi-bytecode"}, {0x5032, "riscv32"},
	    {0x5064, "riscv64"}, {0x6264, "loongarch64"},
	    {0x8664, "x86-64"}, {0xa641, "arm64ec"}, {0xaa64, "aarch64"},
	    {0, NULL}};

	return find_machine(rows, machine);
}

const char *
exe_machine_macho(uint32_t cpu)
{
	static const struct machine rows[] = {{6, "m68k"}, {7, "i386"},
	    {12, "arm"}, {14, "sparc"}, {18, "ppc"},
	    {0x01000007, "x86-64"}, {0x0100000c, "aarch64"},
	    {0x0200000c, "arm64_32"}, {0x01000012, "ppc64"}, {0, NULL}};

	return find_machine(rows, cpu);
}

/*
 *	0 magic  4 class  5 data  6 version  7 osabi  8 abi version, padding
 *	16 type 2  18 machine 2  20 version 4  24 entry W  phoff W  shoff W
 *	flags 4  ehsize 2  phentsize 2  phnum 2  shentsize 2  shnum 2
 *
 * AppImage has put its own mark into bytes 8 to 10.
 */
bool
exe_elf(struct cursor c, uint64_t left, struct exe_elf *ret)
{
	static const uint8_t magic[] = {0x7f, 'E', 'L', 'F'};
	static const uint8_t zero[5];
	struct exe_elf h = {0};
	uint8_t class, data, version;
	uint32_t version32, flags;
	uint16_t ehsize;
	uint64_t entry;

	if (!cursor_match(&c, magic, 4) || !cursor_u8(&c, &class) ||
	    !cursor_u8(&c, &data) || !cursor_u8(&c, &version) ||
	    !cursor_skip(&c, 4) || !cursor_match(&c, zero, sizeof(zero)) ||
	    (class != 1 && class != 2) || (data != 1 && data != 2) ||
	    version != 1)
		return false;
	h.o = (struct exe_order){data == 2, class == 2};
	h.ehsize = h.o.wide ? 64 : 52;
	if (!exe_u16(&c, h.o, &h.type) || !exe_u16(&c, h.o, &h.machine) ||
	    !exe_u32(&c, h.o, &version32) || !exe_word(&c, h.o, &entry) ||
	    !exe_word(&c, h.o, &h.phoff) || !exe_word(&c, h.o, &h.shoff) ||
	    !exe_u32(&c, h.o, &flags) || !exe_u16(&c, h.o, &ehsize) ||
	    !exe_u16(&c, h.o, &h.phentsize) || !exe_u16(&c, h.o, &h.phnum) ||
	    !exe_u16(&c, h.o, &h.shentsize) || !exe_u16(&c, h.o, &h.shnum))
		return false;
	if (h.type == 0 || (h.type > 4 && h.type < 0xfe00) ||
	    version32 != 1 || exe_machine_elf(h.machine) == NULL ||
	    ehsize != h.ehsize || left < h.ehsize)
		return false;
	/* One table at least, in its right size, behind the header. */
	if (h.phnum == 0 && h.shoff == 0)
		return false;
	if (h.phnum > 0 && (h.phentsize != (h.o.wide ? 56 : 32) ||
	    h.phoff < h.ehsize || !ckd_range(h.phoff,
	    (uint64_t)h.phnum * h.phentsize, left)))
		return false;
	if (h.shoff != 0 && h.shentsize != 0 &&
	    h.shentsize != (h.o.wide ? 64 : 40))
		return false;
	*ret = h;
	return true;
}

/*
 * DOS header: 0 "MZ"  60 e_lfanew 4.  There: "PE\0\0", then
 *	0 machine 2  2 sections 2  4 time 4  8 symbols 4  12 count 4
 *	16 size of the optional header 2  18 characteristics 2
 *	20 the optional header: magic 2 ... 60 SizeOfHeaders 4
 */
bool
exe_pe(struct cursor c, uint64_t left, struct exe_pe *ret)
{
	enum { EXECUTABLE_IMAGE = 0x0002, DLL = 0x2000 };
	struct cursor at = c, opt;
	struct exe_pe h = {0};
	uint16_t optional, flags, magic;

	if (!cursor_match(&c, (const uint8_t *)"MZ", 2) ||
	    !cursor_skip(&c, 58) || !cursor_u32le(&c, &h.lfanew) ||
	    h.lfanew < 4 || h.lfanew - 4 > FORMAT_HEAD ||
	    h.lfanew % 4 != 0)
		return false;
	if (!cursor_skip(&at, h.lfanew) ||
	    !cursor_match(&at, (const uint8_t *)"PE\0", 4) ||
	    !cursor_u16le(&at, &h.machine) ||
	    !cursor_u16le(&at, &h.sections) || !cursor_skip(&at, 12) ||
	    !cursor_u16le(&at, &optional) || !cursor_u16le(&at, &flags) ||
	    exe_machine_pe(h.machine) == NULL || h.sections > 96 ||
	    (flags & EXECUTABLE_IMAGE) == 0)
		return false;
	opt = at;
	if (!cursor_u16le(&opt, &magic) ||
	    (magic != 0x10b && magic != 0x20b && magic != 0x107) ||
	    !cursor_skip(&opt, 58) || !cursor_u32le(&opt, &h.headers) ||
	    optional < 64 || h.headers == 0 || h.headers > left ||
	    !ckd_range((uint64_t)h.lfanew + 24 + optional,
	    (uint64_t)h.sections * 40, left))
		return false;
	h.plus = magic == 0x20b;
	h.dll = (flags & DLL) != 0;
	h.optional = optional;
	*ret = h;
	return true;
}

/* The commands that the cursor shows: sizes that fit, numbers that exist. */
static bool
macho_commands(struct cursor c, const struct exe_macho *h)
{
	uint32_t cmd, size, left = h->cmds;

	for (uint32_t i = 0; i < h->ncmds; i++) {
		if (!exe_u32(&c, h->o, &cmd) || !exe_u32(&c, h->o, &size))
			return i > 0;	/* beyond what the cursor shows */
		cmd &= 0x7fffffff;
		if (cmd == 0 || cmd > 0x40 || size < 8 || size % 4 != 0 ||
		    size > left)
			return false;
		left -= size;
		if (!cursor_skip(&c, size - 8))
			return true;
	}
	return left == 0;
}

static bool
macho_thin(struct cursor c, uint64_t left, struct exe_macho *ret)
{
	struct exe_macho h = {0};
	uint32_t magic, sub, flags;

	if (!cursor_u32le(&c, &magic))
		return false;
	if (magic != 0xfeedface && magic != 0xfeedfacf &&
	    magic != 0xcefaedfe && magic != 0xcffaedfe)
		return false;
	h.o.big = (magic & 0xff) != 0xce && (magic & 0xff) != 0xcf;
	h.o.wide = magic == 0xfeedfacf || magic == 0xcffaedfe;
	h.header = h.o.wide ? 32 : 28;
	if (!exe_u32(&c, h.o, &h.cpu) || !exe_u32(&c, h.o, &sub) ||
	    !exe_u32(&c, h.o, &h.type) || !exe_u32(&c, h.o, &h.ncmds) ||
	    !exe_u32(&c, h.o, &h.cmds) || !exe_u32(&c, h.o, &flags) ||
	    (h.o.wide && !cursor_skip(&c, 4)) ||
	    exe_machine_macho(h.cpu) == NULL || h.type == 0 ||
	    h.type > 12 || h.ncmds == 0 || h.ncmds > 10000 ||
	    h.cmds / 8 < h.ncmds || !ckd_range(h.header, h.cmds, left) ||
	    !macho_commands(c, &h))
		return false;
	*ret = h;
	return true;
}

/* nfat_arch rows of cputype, subtype, offset, size, align: all big-endian. */
static bool
macho_fat(struct cursor c, uint64_t left, struct exe_macho *ret)
{
	struct exe_macho h = {.fat = true, .header = 8};
	uint32_t magic, cpu, sub, align;
	uint64_t off, size;

	h.o.big = true;
	if (!cursor_u32be(&c, &magic) || !cursor_u32be(&c, &h.narch) ||
	    (magic != 0xcafebabe && magic != 0xcafebabf) || h.narch == 0 ||
	    h.narch > 20)
		return false;
	h.o.wide = magic == 0xcafebabf;
	for (uint32_t i = 0; i < h.narch; i++) {
		if (!exe_u32(&c, h.o, &cpu) || !exe_u32(&c, h.o, &sub) ||
		    !exe_word(&c, h.o, &off) || !exe_word(&c, h.o, &size) ||
		    !exe_u32(&c, h.o, &align) ||
		    (h.o.wide && !cursor_skip(&c, 4)) ||
		    exe_machine_macho(cpu) == NULL || align > 31 ||
		    size < 28 || off < 8 + (uint64_t)h.narch * 20 ||
		    !ckd_range(off, size, left))
			return false;
		h.cpu = cpu;
	}
	*ret = h;
	return true;
}

bool
exe_macho(struct cursor c, uint64_t left, struct exe_macho *ret)
{
	return macho_thin(c, left, ret) || macho_fat(c, left, ret);
}

/* --- the others --------------------------------------------------------- */

static size_t
at_elf(struct cursor c, uint64_t left)
{
	struct exe_elf h;

	return exe_elf(c, left, &h) ? 120 : 0;
}

static size_t
at_pe(struct cursor c, uint64_t left)
{
	struct exe_pe h;

	return exe_pe(c, left, &h) ? 80 : 0;
}

static size_t
at_macho(struct cursor c, uint64_t left)
{
	struct exe_macho h;

	return exe_macho(c, left, &h) ? 88 : 0;
}

/*
 * 0 magic 4  4 minor 2  6 major 2  8 constants 2, then the constants: a tag
 * and what it needs.  The first ones must be of a kind that exists.
 */
static size_t
at_class(struct cursor c, uint64_t left)
{
	static const uint8_t magic[] = {0xca, 0xfe, 0xba, 0xbe};
	static const uint8_t need[21] = {[3] = 4, [4] = 4, [5] = 8, [6] = 8,
	    [7] = 2, [8] = 2, [9] = 4, [10] = 4, [11] = 4, [12] = 4,
	    [15] = 3, [16] = 2, [17] = 4, [18] = 4, [19] = 2, [20] = 2};
	uint16_t minor, major, count, n;
	uint8_t tag;

	if (!cursor_match(&c, magic, 4) || !cursor_u16be(&c, &minor) ||
	    !cursor_u16be(&c, &major) || !cursor_u16be(&c, &count) ||
	    major < 45 || major > 99 || count < 3 || left / 2 < count)
		return 0;
	for (uint16_t i = 1; i < count && i < 16; i++) {
		if (!cursor_u8(&c, &tag))
			break;
		if (tag == 1) {
			if (!cursor_u16be(&c, &n) || !cursor_skip(&c, n))
				break;
			continue;
		}
		if (tag >= sizeof(need) || need[tag] == 0)
			return 0;
		if (tag == 5 || tag == 6)
			i++;	/* 4.4.5: these take two numbers */
		if (!cursor_skip(&c, need[tag]))
			break;
	}
	return 64;
}

/* 0 "\0asm"  4 version 4, then sections: id, length in LEB128. */
static size_t
at_wasm(struct cursor c, uint64_t left)
{
	static const uint8_t core[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
	static const uint8_t component[] = {0, 'a', 's', 'm', 0x0d, 0, 1, 0};
	uint64_t n;
	uint8_t id;

	if (!cursor_match(&c, core, 8) && !cursor_match(&c, component, 8))
		return 0;
	left -= 8;
	for (unsigned i = 0; i < 8 && left > 0; i++) {
		size_t before = cursor_left(&c);

		if (!cursor_u8(&c, &id) || !cursor_varint(&c, &n))
			return i > 0 ? 64 : 0;
		left -= before - cursor_left(&c);
		/* Behind a good one, it is a module that is cut or longer. */
		if (id > 13 || n > left)
			return i > 0 ? 64 : 0;
		left -= n;
		if (!cursor_skip(&c, n))
			break;
	}
	return 64;
}

/*
 * 0 "dex\n" 3 digits NUL  8 adler 4  12 sha1 20  32 file size 4
 * 36 header size 4  40 endian tag 4
 */
static size_t
at_dex(struct cursor c, uint64_t left)
{
	uint32_t size, header, endian;
	uint8_t digit;

	if (!cursor_match(&c, (const uint8_t *)"dex\n", 4))
		return 0;
	for (unsigned i = 0; i < 3; i++)
		if (!cursor_u8(&c, &digit) || digit < '0' || digit > '9')
			return 0;
	return cursor_match(&c, (const uint8_t *)"", 1) &&
	    cursor_skip(&c, 24) && cursor_u32le(&c, &size) &&
	    cursor_u32le(&c, &header) && cursor_u32le(&c, &endian) &&
	    size >= 0x70 && size <= left && header == 0x70 &&
	    endian == 0x12345678 ? 96 : 0;
}

/*
 * 0 version 2  2 "\r\n"  4 flags 4  8 time or hash 8  16 a marshalled code
 * object: 'c', with the flag of a reference.  3.7 has version 3390.
 */
static size_t
at_pyc(struct cursor c, uint64_t left)
{
	uint16_t version;
	uint32_t flags;
	uint8_t type;

	return left > 32 && cursor_u16le(&c, &version) && version >= 3390 &&
	    version < 3800 &&
	    cursor_match(&c, (const uint8_t *)"\r\n", 2) &&
	    cursor_u32le(&c, &flags) && flags <= 3 && flags != 2 &&
	    cursor_skip(&c, 8) && cursor_u8(&c, &type) &&
	    (type == 0xe3 || type == 'c') ? 60 : 0;
}

size_t
exe_binary(struct cursor c, uint64_t left, const char **kind)
{
	static const struct {
		const char *kind;
		size_t (*at)(struct cursor c, uint64_t left);
	} rows[] = {{"elf", at_elf}, {"pe", at_pe}, {"macho", at_macho},
	    {"class", at_class}, {"wasm", at_wasm}, {"dex", at_dex},
	    {"pyc", at_pyc}};
	size_t bits;

	if (left < 8)
		return 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((bits = rows[i].at(c, left)) > 0) {
			*kind = rows[i].kind;
			return bits;
		}
	return 0;
}

size_t
exe_at(struct cursor c, uint64_t left, const char **kind)
{
	size_t bits = exe_binary(c, left, kind);

	return bits > 0 ? bits : exe_script(c, left, kind);
}
