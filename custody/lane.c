#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "custody/digest.h"

/*
 * A ring of chunks between the caller and a thread that hashes them.  The
 * caller fills chunk number ${head}, the thread empties chunk ${tail}; both
 * only grow.  The thread sleeps when the ring is empty, the caller when it is
 * full, so memory is bounded and nothing spins.
 */
#define DEPTH 8

struct chunk {
	uint8_t *p;
	size_t n;
};

struct lane {
	struct digest *d;
	bool threaded;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	struct chunk ring[DEPTH];
	uint64_t head, tail;
	size_t part;		/* bytes in the chunk that is being filled */
	bool stop;
	struct err error;	/* the thread's first failure */
};

static void *
lane_main(void *arg)
{
	struct lane *l = arg;
	struct err e = ERR_INIT;
	struct chunk *c;

	(void)pthread_mutex_lock(&l->lock);
	for (;;) {
		while (l->tail == l->head && !l->stop)
			(void)pthread_cond_wait(&l->filled, &l->lock);
		if (l->tail == l->head)
			break;
		c = &l->ring[l->tail % DEPTH];
		(void)pthread_mutex_unlock(&l->lock);
		(void)digest_put(l->d, c->p, c->n, &e);
		(void)pthread_mutex_lock(&l->lock);
		if (e.code != ERR_OK)
			l->error = e;
		l->tail++;
		(void)pthread_cond_signal(&l->emptied);
	}
	(void)pthread_mutex_unlock(&l->lock);
	return NULL;
}

struct lane *
lane_new(unsigned set, struct err *e)
{
	struct lane *l;

	if ((l = calloc(1, sizeof(*l))) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_cond_init(&l->filled, NULL);
	(void)pthread_cond_init(&l->emptied, NULL);
	if ((l->d = digest_new(set, e)) == NULL)
		goto fail;
	for (unsigned i = 0; i < DEPTH; i++)
		if ((l->ring[i].p = malloc(LIMIT_COPY_CHUNK)) == NULL) {
			(void)err_set(e, ERR_NOMEM, "out of memory");
			goto fail;
		}
	sandbox_threads();
	l->threaded = pthread_create(&l->thread, NULL, lane_main, l) == 0;
	return l;
fail:
	lane_free(l);
	return NULL;
}

void
lane_free(struct lane *l)
{
	if (l == NULL)
		return;
	if (l->threaded) {
		(void)pthread_mutex_lock(&l->lock);
		l->stop = true;
		(void)pthread_cond_signal(&l->filled);
		(void)pthread_mutex_unlock(&l->lock);
		(void)pthread_join(l->thread, NULL);
	}
	for (unsigned i = 0; i < DEPTH; i++)
		free(l->ring[i].p);
	digest_free(l->d);
	(void)pthread_cond_destroy(&l->filled);
	(void)pthread_cond_destroy(&l->emptied);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

bool
lane_threaded(const struct lane *l)
{
	return l->threaded;
}

/* Give the chunk that is being filled to the thread. */
static void
commit(struct lane *l)
{
	(void)pthread_mutex_lock(&l->lock);
	l->ring[l->head % DEPTH].n = l->part;
	l->head++;
	l->part = 0;
	(void)pthread_cond_signal(&l->filled);
	while (l->head - l->tail == DEPTH)
		(void)pthread_cond_wait(&l->emptied, &l->lock);
	(void)pthread_mutex_unlock(&l->lock);
}

int
lane_put(struct lane *l, const void *p, size_t n, struct err *e)
{
	const uint8_t *s = p;
	size_t room;

	if (!l->threaded)
		return digest_put(l->d, p, n, e);
	while (n > 0) {
		room = LIMIT_COPY_CHUNK - l->part;
		if (room > n)
			room = n;
		memcpy(l->ring[l->head % DEPTH].p + l->part, s, room);
		l->part += room;
		s += room;
		n -= room;
		if (l->part == LIMIT_COPY_CHUNK)
			commit(l);
	}
	return 0;
}

/* Wait until everything given so far is hashed. */
static int
drain(struct lane *l, struct err *e)
{
	int r = 0;

	if (!l->threaded)
		return 0;
	if (l->part > 0)
		commit(l);
	(void)pthread_mutex_lock(&l->lock);
	while (l->tail != l->head)
		(void)pthread_cond_wait(&l->emptied, &l->lock);
	if (l->error.code != ERR_OK)
		r = err_set(e, l->error.code, "%s", l->error.msg);
	(void)pthread_mutex_unlock(&l->lock);
	return r;
}

int
lane_now(struct lane *l, struct digests *ret, struct err *e)
{
	int r = drain(l, e);

	return r < 0 ? r : digest_now(l->d, ret, e);
}

int
lane_reset(struct lane *l, struct err *e)
{
	int r = drain(l, e);

	return r < 0 ? r : digest_reset(l->d, e);
}
