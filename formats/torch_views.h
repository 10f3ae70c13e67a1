#ifndef FORMATS_TORCH_VIEWS_H_
#define FORMATS_TORCH_VIEWS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/pickle_tree.h"
#include "formats/torch_storage.h"
#include "formats/torch_tensor.h"

/*
 * The named tensors of what a torch pickle builds, as ev_view.  Private to
 * torch*.c.
 *
 * Names are the keys on the way from the top, joined by '.': keys of
 * dictionaries, positions in lists and tuples, attributes of instances.
 * _parameters, _buffers and _modules of an instance add no word, so a whole
 * pickled module has its state_dict's names.  A container that lies in two
 * places is told at both; an attribute that leads to what was seen before
 * (a parent, a list of all layers) is not followed.
 *
 * Limits: LIMIT_TORCH_*.  What passes one is told as ANOMALY_LIMIT.
 *
 * Use: torch_views_init; torch_views_hooks for each pickle, each followed by
 * torch_views_take; torch_storages_sort; torch_views_sort; then
 * torch_views_tell for each storage, and torch_views_rest.
 */
struct torch_view {
	struct torch_view *next;
	const char *name;
	size_t name_len;
	struct torch_tensor t;
	uint64_t storage, seq;
	bool told;
};

struct torch_views {
	struct parse *p;
	struct torch_storages *all;
	struct pickle_tree tree;
	const struct pv *root;	/* what the pickle came to, or NULL */
	struct torch_view *first, *last, **v;	/* v: by storage, then seq */
	size_t n, told;
	uint64_t base;		/* number of the first storage */
};

void torch_views_init(struct torch_views *w, struct parse *p,
    struct torch_storages *all, uint64_t base);

/* torch_views_hooks: those that note storages too; ctx is ${w}. */
struct pickle_hooks torch_views_hooks(struct torch_views *w);

/*
 * torch_views_take: the tensors below ${root} (NULL: none), with ${prefix}
 * before their names.  Tells what is wrong with them; 0, or negative.
 */
int torch_views_take(struct torch_views *w, const struct pv *root,
    const char *prefix, size_t prefix_len);

/* torch_views_sort: 0, or ERR_NOMEM. */
int torch_views_sort(struct torch_views *w);

/*
 * torch_views_tell: those of ${s}, one of all->v, whose bytes are where ${at}
 * says (off, len, src).  torch_views_rest: those without a storage, or with
 * one that was not found, as views whose bytes are not at hand.
 */
int torch_views_tell(struct torch_views *w, const struct torch_storage *s,
    const struct ev_tensor *at);
int torch_views_rest(struct torch_views *w);

#endif /* !FORMATS_TORCH_VIEWS_H_ */
