#include <string.h>

#include "analyzer/intake/lazyfiles.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"

/* A descriptor at hand. */
struct held {
	const struct lazy *of;
	struct bytesrc *src;
	uint64_t used;
};

struct lazyfiles {
	struct arena *arena;
	int (*ask)(void *ctx, uint32_t file, int *fd, struct err *e);
	void *ctx;
	struct held held[LAZYFILES_OPEN];
	uint64_t clock;
};

/* A file that is asked for when somebody reads it. */
struct lazy {
	struct lazyfiles *l;
	uint32_t number;
	uint64_t size;
};

struct lazyfiles *
lazyfiles_new(struct arena *a, int (*ask)(void *ctx, uint32_t file, int *fd,
    struct err *e), void *ctx)
{
	struct lazyfiles *l = arena_alloc(a, sizeof(*l));

	if (l == NULL)
		return NULL;
	memset(l, 0, sizeof(*l));
	l->arena = a;
	l->ask = ask;
	l->ctx = ctx;
	return l;
}

static int
at_hand(const struct lazy *f, struct bytesrc **ret, struct err *e)
{
	struct lazyfiles *l = f->l;
	struct held *oldest = &l->held[0];
	int r, fd;

	for (unsigned i = 0; i < LAZYFILES_OPEN; i++) {
		struct held *h = &l->held[i];

		if (h->of == f) {
			h->used = ++l->clock;
			*ret = h->src;
			return 0;
		}
		if (h->used < oldest->used)
			oldest = h;
	}
	bytesrc_free(oldest->src);
	*oldest = (struct held){0};
	if ((r = l->ask(l->ctx, f->number, &fd, e)) < 0)
		return r;
	oldest->src = bytesrc_take_fd(fd, 0, f->size, e);
	if (oldest->src == NULL)
		return ERR_NOMEM;
	oldest->of = f;
	oldest->used = ++l->clock;
	*ret = oldest->src;
	return 0;
}

static int
lazy_read(void *ctx, uint64_t off, void *dst, size_t n, struct err *e)
{
	struct bytesrc *src;
	int r = at_hand(ctx, &src, e);

	return r < 0 ? r : bytesrc_read(src, off, dst, n, e);
}

struct bytesrc *
lazyfiles_src(struct lazyfiles *l, uint32_t number, uint64_t size,
    struct err *e)
{
	struct lazy *f = arena_alloc(l->arena, sizeof(*f));

	if (f == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	*f = (struct lazy){l, number, size};
	return bytesrc_call(lazy_read, NULL, f, size, e);
}

void
lazyfiles_close(struct lazyfiles *l)
{
	for (unsigned i = 0; l != NULL && i < LAZYFILES_OPEN; i++)
		bytesrc_free(l->held[i].src);
	if (l != NULL)
		memset(l->held, 0, sizeof(l->held));
}
