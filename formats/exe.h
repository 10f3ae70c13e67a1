#ifndef FORMATS_EXE_H_
#define FORMATS_EXE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

/*
 * Is this the beginning of a program?  By validated structure: every field
 * of the header that has few possible values is compared with them, and
 * every place that a header states must lie inside what is left.  A magic of
 * two bytes says nothing: "MZ" stands 15 times in a MiB of noise.
 *
 *	elf      System V gABI chapter 4, 4.1: "ELF Header"
 *	pe       Microsoft PE and COFF Specification, sections 2 to 4
 *	macho    Apple's mach-o/loader.h; fat: mach-o/fat.h
 *	class    The Java Virtual Machine Specification, chapter 4
 *	wasm     WebAssembly Core Specification, chapter 5.5
 *	dex      Android, "Dalvik executable format", header_item
 *	pyc      CPython Lib/importlib/_bootstrap_external.py (3.7 and later)
 *	shell perl python ruby ...   a first line "#!/path/interpreter"
 *	python batch powershell vbscript   source text without that line
 */

/*
 * exe_at: how sure is it, in verified bits, that a program begins at the
 * cursor?  0: it does not.  ${left} is how many bytes the object has from
 * the cursor on; the cursor may see fewer of them (256 are enough for most
 * kinds, 4096 for all), never more.  *kind is set to one of the words above
 * when the result is not 0; it is a constant.  Reads only the cursor's bytes,
 * in time linear in FORMAT_HEAD, whatever the cursor's length.
 */
size_t exe_at(struct cursor c, uint64_t left, const char **kind);

/* The two halves of it: machine code and its kin; text. */
size_t exe_binary(struct cursor c, uint64_t left, const char **kind);
size_t exe_script(struct cursor c, uint64_t left, const char **kind);

/* exe_is_text: is the kind one that exe_script gives? */
bool exe_is_text(const char *kind);

/* exe_machine_elf, ..._pe, ..._macho: a machine's name, or NULL. */
const char *exe_machine_elf(uint16_t machine);
const char *exe_machine_pe(uint16_t machine);
const char *exe_machine_macho(uint32_t cpu);

/* What the headers say of the three native kinds, for their parsers. */
struct exe_order {
	bool big, wide;		/* byte order; 64 bits */
};
bool exe_u16(struct cursor *c, struct exe_order o, uint16_t *ret);
bool exe_u32(struct cursor *c, struct exe_order o, uint32_t *ret);
/* A word of 32 or 64 bits. */
bool exe_word(struct cursor *c, struct exe_order o, uint64_t *ret);

/* An ELF header whose every field has been looked at. */
struct exe_elf {
	struct exe_order o;
	uint16_t type, machine, phentsize, phnum, shentsize, shnum;
	uint64_t phoff, shoff;
	unsigned ehsize;
};
bool exe_elf(struct cursor c, uint64_t left, struct exe_elf *ret);

struct exe_pe {
	uint16_t machine, sections;
	uint32_t lfanew, optional;	/* offset, length of the optional header */
	uint32_t headers;		/* SizeOfHeaders */
	bool plus, dll;
};
bool exe_pe(struct cursor c, uint64_t left, struct exe_pe *ret);

struct exe_macho {
	struct exe_order o;
	uint32_t cpu, type, ncmds, cmds;
	bool fat;
	uint32_t narch;
	unsigned header;	/* bytes before the commands or archs */
};
bool exe_macho(struct cursor c, uint64_t left, struct exe_macho *ret);

#endif /* !FORMATS_EXE_H_ */
