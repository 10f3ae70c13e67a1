#ifndef TESTS_LIB_PT_H_
#define TESTS_LIB_PT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/format.h"

/*
 * A torch archive made piece by piece, opcode by opcode as torch.save writes
 * its pickles.  One at a time; a test fails when it does not fit.
 */
#define PT_ROOM (1 << 20)

struct pt_bytes {
	uint8_t p[PT_ROOM];
	size_t n;
};
extern struct pt_bytes pt_pickle, pt_file;

struct pt_tensor {
	const char *key, *storage;	/* its number, its class's first word */
	uint64_t count, first;
	unsigned rank;
	uint64_t shape[4], stride[4];
};

/* pt_begin: nothing but PROTO 2. */
void pt_begin(void);
void pt_ops(const char *p);	/* opcodes as they are, without NUL */
void pt_u8(unsigned v);
void pt_text(const char *p);
void pt_number(uint64_t v);
void pt_tensor(const struct pt_tensor *m);
/* pt_vector: 4 floats, all of storage ${key}. */
void pt_vector(const char *key);

/* The archive: members, and its end. */
void pt_member(const char *name, const void *p, size_t n,
    bool deflate_it);
void pt_end(void);

/*
 * What reading told: views in their order, with the first byte of their
 * storage.
 */
#define PT_VIEWS 8192
struct pt_seen {
	char name[64];
	char dtype[8];
	uint64_t shape[4], stride[4], first, storage, len;
	unsigned rank;
	uint8_t byte;		/* the first of its storage */
};

extern struct pt_seen pt_seen[PT_VIEWS];
extern unsigned pt_views, pt_anomalies, pt_tensors;
extern int pt_rc;

int pt_on_view(void *ctx, const struct ev_view *v);
int pt_count(void *ctx, const struct ev_view *v);	/* nothing kept */
int pt_on_tensor(void *ctx, const struct ev_tensor *t);
int pt_on_anomaly(void *ctx, const struct ev_anomaly *a);
void pt_read_with(const struct format *f, const void *p, size_t n,
    const struct events *ev);
void pt_read(const struct format *f, const void *p, size_t n);
/* The pickle as an archive with storages "0".."9", 16 bytes of 'a'.. each. */
void pt_read_archive(bool deflate_it);
const struct pt_seen *pt_named(const char *name);	/* or NULL */
bool pt_has(enum anomaly id);

#endif /* !TESTS_LIB_PT_H_ */
