#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "analyzer/diff/pool.h"
#include "base/err.h"
#include "base/sandbox.h"

/* More would not be fed by memory. */
#define THREADS_MAX 32

struct pool;

struct hand {
	struct pool *pool;
	unsigned number;
	pthread_t thread;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	unsigned threads, busy;
	unsigned long round;
	bool ending;
	void (*task)(void *ctx, size_t i, unsigned thread);
	void *ctx;
	size_t n;
	atomic_size_t next;
	struct hand hand[THREADS_MAX];
};

static void
drain(struct pool *p, unsigned number)
{
	size_t i;

	while ((i = atomic_fetch_add(&p->next, 1)) < p->n)
		p->task(p->ctx, i, number);
}

static void *
serve(void *arg)
{
	struct hand *h = arg;
	struct pool *p = h->pool;
	unsigned long seen = 0;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->round == seen && !p->ending)
			(void)pthread_cond_wait(&p->work, &p->lock);
		if (p->ending)
			break;
		seen = p->round;
		(void)pthread_mutex_unlock(&p->lock);
		drain(p, h->number);
		(void)pthread_mutex_lock(&p->lock);
		if (--p->busy == 0)
			(void)pthread_cond_signal(&p->idle);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct pool *
pool_new(unsigned threads, struct err *e)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct pool *p;

	if ((p = calloc(1, sizeof(*p))) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	sandbox_threads();
	if (threads == 0)
		threads = cores > 0 ? (unsigned)cores : 1;
	p->threads = threads < THREADS_MAX ? threads : THREADS_MAX;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->work, NULL);
	(void)pthread_cond_init(&p->idle, NULL);
	for (unsigned i = 1; i < p->threads; i++) {
		p->hand[i] = (struct hand){.pool = p, .number = i};
		/* One thread fewer is slower, and nothing else. */
		if (pthread_create(&p->hand[i].thread, NULL, serve,
		    &p->hand[i]) != 0) {
			p->threads = i;
			break;
		}
	}
	return p;
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->ending = true;
	(void)pthread_cond_broadcast(&p->work);
	(void)pthread_mutex_unlock(&p->lock);
	for (unsigned i = 1; i < p->threads; i++)
		(void)pthread_join(p->hand[i].thread, NULL);
	(void)pthread_cond_destroy(&p->idle);
	(void)pthread_cond_destroy(&p->work);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

unsigned
pool_threads(const struct pool *p)
{
	return p != NULL ? p->threads : 1;
}

void
pool_run(struct pool *p, void (*task)(void *ctx, size_t i, unsigned thread),
    void *ctx, size_t n)
{
	if (p == NULL || p->threads == 1 || n < 2) {
		for (size_t i = 0; i < n; i++)
			task(ctx, i, 0);
		return;
	}
	(void)pthread_mutex_lock(&p->lock);
	p->task = task;
	p->ctx = ctx;
	p->n = n;
	atomic_store(&p->next, 0);
	p->busy = p->threads - 1;
	p->round++;
	(void)pthread_cond_broadcast(&p->work);
	(void)pthread_mutex_unlock(&p->lock);
	drain(p, 0);
	(void)pthread_mutex_lock(&p->lock);
	while (p->busy > 0)
		(void)pthread_cond_wait(&p->idle, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
}
