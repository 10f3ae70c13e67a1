#ifndef TOOLS_MKSAMPLE_H_
#define TOOLS_MKSAMPLE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * The recipe language: hostile files live in the repository as text that a
 * person can review; they become bytes only in a build folder.
 *
 * One statement a line, or several with a lone ';' between them; '#' begins
 * a comment line.  Words are separated by blanks; a quoted word may hold
 * blanks and the escapes \n \t \\ \" \xHH.
 *
 *   text "..."          bytes
 *   hex 80 04ff         bytes
 *   | bytes...          the rest of the line with its newline, as it is
 *   fill HH COUNT       a run of one byte
 *   pad HH N            that byte, to a multiple of N of what is around it
 *   u8 u16le u32le u64le u16be u32be u64be N
 *   file PATH           the bytes of a file below the recipes' root
 *   op NAME [ARG...]    a pickle opcode with its argument; the word "op" may
 *                       be left out
 *   at OFFSET hex ...   overwrite; an OFFSET below 0 counts from the end
 *   cut LENGTH          drop everything from LENGTH on; below 0: so many
 *   npy DESCR SHAPE [VERSION]    the header of a .npy file
 *   pax KEY VALUE       a record of a pax header, with its length
 *   joblib-pad          the padding that joblib puts before an array
 *   pb N KIND ...       a field of a protobuf message: mksample_pb.c
 *   beside-link NAME TO  a symbolic link in the folder of the case
 *   noise, floats       tensors: mksample_tensor.c
 *   NAME [ARG...]       the statements of def NAME
 *   body                the statements of the block that called this def
 *
 * Blocks reach to their own "end".  What stands inside is assembled apart,
 * and the block adds to what is around it:
 *
 *   as OPCODE           this opcode with the bytes as its argument; as BYTES
 *                       takes SHORT_BINBYTES or BINBYTES
 *   frame [DELTA]       a FRAME of its length (plus DELTA), then the bytes
 *   counted KIND        their number as KIND (u8, u16le, ...), then the bytes
 *   wrap KIND           the bytes as zlib gzip bz2 xz lzma zstd lz4 7z zf,
 *                       hex, base64, or unchanged (none)
 *   repeat N            N times
 *   zip [OPTION...]     holds member NAME [OPTION...] blocks: mksample_zip.c
 *   tar                 holds member NAME blocks: mksample_tar.c
 *   message N, group N  a field of a protobuf message that holds the bytes
 *   beside NAME         no bytes: another file in the folder of the case
 *   hide, hide-bits     the bytes into elements: mksample_tensor.c
 *   inside NAME [ARG..] the statements of def NAME, whose body is this block
 *   def NAME [PARAM...] no bytes: a macro; "$PARAM" stands for its argument
 *
 * In a folder of samples also zip-member NAME [deflate], whose content goes
 * to the next zip-member or zip-end.
 */
#define SAMPLE_MAX (64 * MIB)
#define SAMPLE_DEPTH 256

struct word {
	char *p;
	size_t n;
};

struct stmt {
	const char *path;	/* of the recipe; not owned */
	unsigned line, count;
	struct word *w;
	char *text;		/* what the words point into */
	const struct stmt *end;	/* of a block: its "end"; else NULL */
};

/* A parsed file; stmt[count] is an "end" that closes all. */
struct script {
	char *path;
	struct stmt *stmt;
	size_t count, cap;
};

/* What a def was called with, and the block that called it. */
struct scope {
	const struct stmt *def;		/* NULL: not in a def */
	const struct word *args;
	const struct stmt *body, *body_end;
	const struct scope *body_scope;
	unsigned depth;
	struct pack *pack;		/* the open zip or tar */
};

struct pack;

/* All of them die with the place of the recipe when it is wrong. */
_Noreturn void die(const struct stmt *s, const char *what);
void *grow(void *p, size_t n, size_t size);	/* never NULL */

/* mksample_text.c */
bool word_is(const struct word *w, const char *text);
/* Does the word begin with "name="?  Then *v is what follows. */
bool word_option(const struct word *w, const char *name, struct word *v);
uint64_t word_number(const struct stmt *s, const struct word *w);
int64_t word_signed(const struct stmt *s, const struct word *w);
void word_hex(const struct stmt *s, const struct word *w, struct buf *b);
void put_le(struct buf *b, uint64_t v, unsigned n);
void put_be(struct buf *b, uint64_t v, unsigned n);
/* NULL: cannot be read */
struct script *script_read(const char *path);
void script_free(struct script *s);

/* mksample_op.c: false when there is no such opcode. */
bool op_put(const struct stmt *s, const struct word *w, unsigned count,
    struct buf *b);

/* mksample_pb.c; pb_block: false when it is no block of a protobuf */
void pb_put(const struct stmt *s, const struct word *w, unsigned count,
    struct buf *b);
bool pb_block(const struct stmt *s, const struct word *w, unsigned count,
    const struct buf *in, struct buf *out);

/* mksample_wrap.c */
void wrap_put(const struct stmt *s, const struct word *kind, struct buf *in,
    struct buf *out);

/* mksample_zip.c, mksample_tar.c: members go to ${out} as they come. */
struct pack *pack_zip(const struct stmt *s, struct buf *out);
struct pack *pack_tar(struct buf *out);
void pack_member(struct pack *p, const struct stmt *s, const struct word *w,
    unsigned count, struct buf *content);
void pack_end(struct pack *p, const struct stmt *s);
void tar_member(const struct stmt *s, const struct word *w, unsigned count,
    const struct buf *content, struct buf *out);
void tar_pax(const struct word *key, const struct word *value,
    struct buf *out);

/* mksample_tensor.c: w[0] is the statement's name */
void tensor_noise(const struct stmt *s, const struct word *w,
    struct buf *out);
void tensor_floats(const struct stmt *s, const struct word *w,
    unsigned count, struct buf *out);
void tensor_hide(const struct stmt *s, const struct word *w,
    const struct buf *in, struct buf *out);
void tensor_hide_bits(const struct stmt *s, const struct word *w,
    const struct buf *in, struct buf *out);

/* mksample_run.c: the statements [from, to). */
void run(const struct stmt *from, const struct stmt *to,
    const struct scope *scope, struct buf *out);
void run_root(const char *root);	/* of the "file" statement */
void run_folder(const char *folder);	/* of "beside" and "link"; or NULL */
/* Its defs are known from now on, until it is forgotten. */
void run_defs(const struct script *sc);
void run_forget(const struct script *sc);
const struct stmt *run_find(const struct word *name);	/* or NULL */

/* mksample_cases.c: tests/pickles and tests/models, see samples/README.md. */
int cases_folder(const char *dir, const char *out);
/* mksample.c */
void sample_write(const struct stmt *s, const char *path, struct buf *b);

#endif /* !TOOLS_MKSAMPLE_H_ */
