#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "custody/hashpipe.h"

/*
 * The ring.  head counts chunks committed, done[i] chunks that consumer i
 * has hashed; both only grow.  Chunk number k lies in slot k mod CHUNKS and
 * is free when both consumers have passed it.  Everything is under one lock;
 * a chunk's bytes are touched outside of it by who owns it.
 */
enum { STREAM, MEMBER, CONSUMERS };

struct chunk {
	uint8_t *p;
	size_t n;
	bool member;
};

struct consumer {
	struct hashpipe *h;
	struct digest *d;
	pthread_t thread;
	bool threaded;
	uint64_t done;
	struct err error;
};

struct hashpipe {
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	struct chunk ring[HASHPIPE_CHUNKS];
	uint64_t head;
	bool stop;
	struct consumer c[CONSUMERS];
};

static void
consume(struct consumer *c, const struct chunk *k)
{
	bool mine = c == &c->h->c[STREAM] || k->member;

	if (mine && c->error.code == ERR_OK)
		(void)digest_put(c->d, k->p, k->n, &c->error);
}

static void *
consumer_main(void *arg)
{
	struct consumer *c = arg;
	struct hashpipe *h = c->h;
	const struct chunk *k;

	(void)pthread_mutex_lock(&h->lock);
	for (;;) {
		while (c->done == h->head && !h->stop)
			(void)pthread_cond_wait(&h->filled, &h->lock);
		if (c->done == h->head)
			break;
		k = &h->ring[c->done % HASHPIPE_CHUNKS];
		(void)pthread_mutex_unlock(&h->lock);
		consume(c, k);
		(void)pthread_mutex_lock(&h->lock);
		c->done++;
		(void)pthread_cond_broadcast(&h->emptied);
	}
	(void)pthread_mutex_unlock(&h->lock);
	return NULL;
}

struct hashpipe *
hashpipe_new(unsigned set, struct err *e)
{
	struct hashpipe *h;

	if ((h = calloc(1, sizeof(*h))) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_cond_init(&h->filled, NULL);
	(void)pthread_cond_init(&h->emptied, NULL);
	for (unsigned i = 0; i < HASHPIPE_CHUNKS; i++)
		if ((h->ring[i].p = malloc(LIMIT_COPY_CHUNK)) == NULL) {
			(void)err_set(e, ERR_NOMEM, "out of memory");
			goto fail;
		}
	for (unsigned i = 0; i < CONSUMERS; i++) {
		h->c[i].h = h;
		if ((h->c[i].d = digest_new(i == STREAM ? DIGEST_SHA256 : set,
		    e)) == NULL)
			goto fail;
	}
	for (unsigned i = 0; i < CONSUMERS; i++)
		h->c[i].threaded = pthread_create(&h->c[i].thread, NULL,
		    consumer_main, &h->c[i]) == 0;
	return h;
fail:
	hashpipe_free(h);
	return NULL;
}

void
hashpipe_free(struct hashpipe *h)
{
	if (h == NULL)
		return;
	(void)pthread_mutex_lock(&h->lock);
	h->stop = true;
	(void)pthread_cond_broadcast(&h->filled);
	(void)pthread_mutex_unlock(&h->lock);
	for (unsigned i = 0; i < CONSUMERS; i++) {
		if (h->c[i].threaded)
			(void)pthread_join(h->c[i].thread, NULL);
		digest_free(h->c[i].d);
	}
	for (unsigned i = 0; i < HASHPIPE_CHUNKS; i++)
		free(h->ring[i].p);
	(void)pthread_cond_destroy(&h->filled);
	(void)pthread_cond_destroy(&h->emptied);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}

uint8_t *
hashpipe_buffer(struct hashpipe *h)
{
	uint8_t *p;

	(void)pthread_mutex_lock(&h->lock);
	while (h->head - h->c[STREAM].done == HASHPIPE_CHUNKS ||
	    h->head - h->c[MEMBER].done == HASHPIPE_CHUNKS)
		(void)pthread_cond_wait(&h->emptied, &h->lock);
	p = h->ring[h->head % HASHPIPE_CHUNKS].p;
	(void)pthread_mutex_unlock(&h->lock);
	return p;
}

void
hashpipe_commit(struct hashpipe *h, size_t n, bool member)
{
	struct chunk *k = &h->ring[h->head % HASHPIPE_CHUNKS];

	k->n = n;
	k->member = member;
	for (unsigned i = 0; i < CONSUMERS; i++)
		if (!h->c[i].threaded) {
			consume(&h->c[i], k);
			h->c[i].done++;
		}
	(void)pthread_mutex_lock(&h->lock);
	h->head++;
	(void)pthread_cond_broadcast(&h->filled);
	(void)pthread_mutex_unlock(&h->lock);
}

void
hashpipe_put(struct hashpipe *h, const void *p, size_t n, bool member)
{
	const uint8_t *s = p;
	size_t part;

	while (n > 0) {
		part = n < LIMIT_COPY_CHUNK ? n : LIMIT_COPY_CHUNK;
		memcpy(hashpipe_buffer(h), s, part);
		hashpipe_commit(h, part, member);
		s += part;
		n -= part;
	}
}

/* Wait until consumer ${i} has hashed everything that was committed. */
static int
drain(struct hashpipe *h, unsigned i, struct err *e)
{
	struct consumer *c = &h->c[i];

	(void)pthread_mutex_lock(&h->lock);
	while (c->done != h->head)
		(void)pthread_cond_wait(&h->emptied, &h->lock);
	(void)pthread_mutex_unlock(&h->lock);
	return c->error.code != ERR_OK ?
	    err_set(e, c->error.code, "%s", c->error.msg) : 0;
}

int
hashpipe_member(struct hashpipe *h, struct digests *ret, struct err *e)
{
	int r;

	if ((r = drain(h, MEMBER, e)) < 0 ||
	    (r = digest_now(h->c[MEMBER].d, ret, e)) < 0)
		return r;
	return digest_reset(h->c[MEMBER].d, e);
}

int
hashpipe_stream(struct hashpipe *h, struct digests *ret, struct err *e)
{
	int r = drain(h, STREAM, e);

	return r < 0 ? r : digest_now(h->c[STREAM].d, ret, e);
}

int
hashpipe_reset(struct hashpipe *h, struct err *e)
{
	int r;

	for (unsigned i = 0; i < CONSUMERS; i++)
		if ((r = drain(h, i, e)) < 0 ||
		    (r = digest_reset(h->c[i].d, e)) < 0)
			return r;
	return 0;
}
