#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/apilog/apilog_pack.h"
#include "analyzer/apilog/apilog_spool.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"

/*
 * External sorting by runs.  What jitters within a batch (servers write a
 * request when it is answered) is sorted in memory; so runs are few, and the
 * heap that merges them is small.
 */
#define CACHE (16 * MIB)	/* of the file, when it is read back */
#define BLOCK_MOST (256 * KIB)
#define BLOCK_LEAST (8 * KIB)

/* A record of the batch, by where it stands in it. */
struct entry {
	int64_t key;
	size_t off, size;
};

struct run {
	uint64_t off, end;	/* what is left of it, in the file */
	int64_t key;		/* of the record at off; at first: the last */
	uint64_t number;
};

struct apilog_spool {
	int fd;
	uint64_t size, count;	/* bytes in the file; records */
	int64_t last;		/* key of the last record that came */
	bool any, full;
	/* the batch */
	uint8_t *batch;
	size_t nbatch, batch_cap;
	struct buf sorted;
	struct entry *entry;
	size_t nentry, cap;
	bool ordered;
	/* the runs */
	struct run *run;
	size_t nrun, run_cap;
	/* reading back */
	uint32_t *heap;
	size_t nheap;
	bool taken;		/* the top of the heap was given away */
	uint8_t *cache;
	size_t block;		/* bytes of one of its blocks */
	uint64_t *held;		/* which one it is, + 1; 0: empty */
	struct buf large;	/* a record that lies in several blocks */
	struct apilog_pack_space space;
};

struct apilog_spool *
apilog_spool_new(int fd, struct err *e)
{
	struct apilog_spool *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	s->fd = fd;
	s->ordered = true;
	buf_init(&s->sorted, (size_t)LIMIT_APILOG_BATCH +
	    LIMIT_APILOG_RECORD);
	buf_init(&s->large, LIMIT_APILOG_RECORD);
	return s;
}

void
apilog_spool_free(struct apilog_spool *s)
{
	if (s == NULL)
		return;
	buf_release(&s->sorted);
	buf_release(&s->large);
	free(s->batch);
	free(s->held);
	free(s->entry);
	free(s->run);
	free(s->heap);
	free(s->cache);
	free(s);
}

uint64_t
apilog_spool_count(const struct apilog_spool *s)
{
	return s->count;
}

uint64_t
apilog_spool_runs(const struct apilog_spool *s)
{
	return s->nrun;
}

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for records");
}

/* Stands in the batch before: came before. */
static int
by_time(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->off < y->off ? -1 : 1;
}

/* The batch's bytes in the order of time. */
static int
sort_batch(struct apilog_spool *s, const uint8_t **ret)
{
	*ret = s->batch;
	if (s->ordered)
		return 0;
	qsort(s->entry, s->nentry, sizeof(*s->entry), by_time);
	buf_clear(&s->sorted);
	for (size_t i = 0; i < s->nentry; i++)
		buf_put(&s->sorted, s->batch + s->entry[i].off,
		    s->entry[i].size);
	*ret = s->sorted.p;
	return buf_failed(&s->sorted);
}

/* The batch goes behind the last run, or begins one. */
static int
add_run(struct apilog_spool *s, uint64_t n, struct err *e)
{
	const int64_t first = s->entry[0].key;
	const int64_t last = s->entry[s->nentry - 1].key;
	struct run *run;
	size_t cap;

	if (s->nrun > 0 && s->run[s->nrun - 1].key <= first) {
		s->run[s->nrun - 1].end += n;
		s->run[s->nrun - 1].key = last;
		return 0;
	}
	if (s->nrun == s->run_cap) {
		cap = s->run_cap == 0 ? 64 : 2 * s->run_cap;
		if ((run = reallocarray(s->run, cap, sizeof(*run))) == NULL)
			return no_memory(e);
		s->run = run;
		s->run_cap = cap;
	}
	s->run[s->nrun++] = (struct run){.off = s->size, .end = s->size + n,
	    .key = last};
	return 0;
}

static int
flush(struct apilog_spool *s, struct err *e)
{
	const uint8_t *p;
	int r;

	if (s->nentry == 0)
		return 0;
	if (sort_batch(s, &p) < 0)
		return no_memory(e);
	if ((r = fsio_write_all(s->fd, p, s->nbatch, e)) < 0 ||
	    (r = add_run(s, s->nbatch, e)) < 0)
		return r;
	s->size += s->nbatch;
	s->nentry = s->nbatch = 0;
	s->ordered = true;
	return 0;
}

/* Room for a record behind the others. */
static int
make_room(struct apilog_spool *s, size_t size, struct err *e)
{
	size_t cap = LIMIT_APILOG_BATCH;
	uint8_t *p;
	int r;

	if (s->nbatch > 0 && s->nbatch + size > LIMIT_APILOG_BATCH &&
	    (r = flush(s, e)) < 0)
		return r;
	if (size > cap)
		cap = size;
	if (cap <= s->batch_cap)
		return 0;
	if ((p = realloc(s->batch, cap)) == NULL)
		return no_memory(e);
	s->batch = p;
	s->batch_cap = cap;
	return 0;
}

static int
add_entry(struct apilog_spool *s, int64_t key, size_t size, struct err *e)
{
	struct entry *p;
	size_t cap;

	if (s->nentry == s->cap) {
		cap = s->cap == 0 ? 1024 : 2 * s->cap;
		if ((p = reallocarray(s->entry, cap, sizeof(*p))) == NULL)
			return no_memory(e);
		s->entry = p;
		s->cap = cap;
	}
	if (s->nentry > 0 && key < s->entry[s->nentry - 1].key)
		s->ordered = false;
	s->entry[s->nentry++] = (struct entry){key, s->nbatch, size};
	return 0;
}

int
apilog_spool_put(struct apilog_spool *s, const struct traffic_record *r,
    struct err *e)
{
	const size_t size = apilog_pack_size(r);
	const int64_t key = r->has_time ? r->ns : s->any ? s->last :
	    INT64_MIN;
	int rc;

	if (size > LIMIT_APILOG_RECORD || s->full ||
	    s->size + s->nbatch + size > LIMIT_APILOG_SPOOL) {
		s->full = s->full || size <= LIMIT_APILOG_RECORD;
		return 1;
	}
	if ((rc = make_room(s, size, e)) < 0 ||
	    (rc = add_entry(s, key, size, e)) < 0)
		return rc;
	apilog_pack(s->batch + s->nbatch, r, key, size);
	s->nbatch += size;
	s->last = key;
	s->any = true;
	s->count++;
	return 0;
}

/* A block of the file, as far as it goes. */
static int
load(struct apilog_spool *s, uint64_t block, const uint8_t **ret,
    struct err *e)
{
	const size_t at = (size_t)(block % (CACHE / s->block));
	const uint64_t off = block * s->block;
	uint8_t *p = s->cache + at * s->block;
	size_t want = s->block, have = 0;
	ssize_t n;

	*ret = p;
	if (s->held[at] == block + 1)
		return 0;
	if (s->size - off < want)
		want = (size_t)(s->size - off);
	s->held[at] = 0;
	while (have < want) {
		n = pread(s->fd, p + have, want - have, (off_t)(off + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_IO, "cannot read the spool");
		have += (size_t)n;
	}
	s->held[at] = block + 1;
	return 0;
}

/* ${n} bytes from ${off} on, together. */
static int
fetch(struct apilog_spool *s, uint64_t off, size_t n, const uint8_t **ret,
    struct err *e)
{
	const uint8_t *p;
	size_t at = (size_t)(off % s->block), part;
	int r;

	if (n <= s->block - at) {
		if ((r = load(s, off / s->block, &p, e)) >= 0)
			*ret = p + at;
		return r;
	}
	buf_clear(&s->large);
	while (n > 0) {
		if ((r = load(s, off / s->block, &p, e)) < 0)
			return r;
		at = (size_t)(off % s->block);
		part = s->block - at < n ? s->block - at : n;
		buf_put(&s->large, p + at, part);
		off += part;
		n -= part;
	}
	*ret = s->large.p;
	return buf_failed(&s->large) < 0 ? no_memory(e) : 0;
}

static bool
sooner(const struct run *a, const struct run *b)
{
	return a->key != b->key ? a->key < b->key : a->number < b->number;
}

static void
sift(struct apilog_spool *s, size_t i)
{
	const uint32_t x = s->heap[i];

	for (size_t k; (k = 2 * i + 1) < s->nheap; i = k) {
		if (k + 1 < s->nheap && sooner(&s->run[s->heap[k + 1]],
		    &s->run[s->heap[k]]))
			k++;
		if (!sooner(&s->run[s->heap[k]], &s->run[x]))
			break;
		s->heap[i] = s->heap[k];
	}
	s->heap[i] = x;
}

/* What the run's next record says of itself. */
static int
look(struct apilog_spool *s, struct run *run, struct err *e)
{
	struct apilog_pack_head h;
	const uint8_t *p;
	int r;

	if ((r = fetch(s, run->off, sizeof(h), &p, e)) < 0)
		return r;
	apilog_pack_head(p, &h);
	run->key = h.key;
	run->number = h.number;
	return 0;
}

/* Many runs are read in small pieces, so that each keeps its own. */
static int
begin_reading(struct apilog_spool *s, struct err *e)
{
	s->block = BLOCK_MOST;
	while (s->block > BLOCK_LEAST && s->nrun > CACHE / s->block / 2)
		s->block /= 2;
	s->cache = aligned_alloc(64, CACHE);
	s->held = calloc(CACHE / s->block, sizeof(*s->held));
	s->heap = calloc(s->nrun, sizeof(*s->heap));
	return s->cache == NULL || s->held == NULL || s->heap == NULL ||
	    s->nrun > UINT32_MAX ? no_memory(e) : 0;
}

int
apilog_spool_end(struct apilog_spool *s, struct err *e)
{
	int r;

	if ((r = flush(s, e)) < 0)
		return r;
	free(s->batch);
	s->batch = NULL;
	buf_release(&s->sorted);
	if (s->nrun == 0)
		return 0;
	if ((r = begin_reading(s, e)) < 0)
		return r;
	for (size_t i = 0; i < s->nrun; i++) {
		if ((r = look(s, &s->run[i], e)) < 0)
			return r;
		s->heap[i] = (uint32_t)i;
	}
	s->nheap = s->nrun;
	for (size_t i = s->nheap / 2; i-- > 0;)
		sift(s, i);
	return 0;
}

/* The record that was given last is done with. */
static int
advance(struct apilog_spool *s, struct err *e)
{
	struct run *run = &s->run[s->heap[0]];
	int r;

	s->taken = false;
	if (run->off < run->end) {
		if ((r = look(s, run, e)) < 0)
			return r;
	} else {
		s->heap[0] = s->heap[--s->nheap];
	}
	if (s->nheap > 0)
		sift(s, 0);
	return 0;
}

int
apilog_spool_next(struct apilog_spool *s, struct traffic_record *ret,
    struct err *e)
{
	struct apilog_pack_head h;
	struct run *run;
	const uint8_t *p;
	int r;

	if (s->taken && (r = advance(s, e)) < 0)
		return r;
	if (s->nheap == 0)
		return 0;
	run = &s->run[s->heap[0]];
	if ((r = fetch(s, run->off, sizeof(h), &p, e)) < 0)
		return r;
	apilog_pack_head(p, &h);
	if ((r = fetch(s, run->off, h.size, &p, e)) < 0)
		return r;
	run->off += h.size;
	s->taken = true;
	apilog_unpack(p, ret, &s->space);
	return 1;
}
