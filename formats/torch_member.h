#ifndef FORMATS_TORCH_MEMBER_H_
#define FORMATS_TORCH_MEMBER_H_

#include <stdbool.h>
#include <stdint.h>

struct parse;
struct torch_storage;
struct torch_storages;
struct torch_views;
struct zip_member;

/*
 * Members of a torch archive as what they hold.  Private to torch.c.
 *
 * torch stores its members, but reads deflated ones as well: who deflates a
 * storage would hide its bytes from whoever looks into weights, so it is
 * inflated for the time of its events.  What does not inflate is told where
 * the member itself is.
 */

/*
 * torch_member_tell: the bytes of storage ${s} are the member ${m}: as a
 * tensor, if ${tensor}, and as the views of ${w} that are made of it.  0, or
 * negative.
 */
int torch_member_tell(struct parse *p, const struct zip_member *m,
    const struct torch_storage *s, bool tensor, struct torch_views *w);

/* torch_member_stored: how many of its bytes lie in the file as they are. */
uint64_t torch_member_stored(const struct zip_member *m);

/*
 * torch_member_collect: run the pickle ${m} in silence for the storages that
 * it names (into ${all}) and, when somebody wants views, for w->root.  0, 1
 * when it could not be read to its end, or negative.
 */
int torch_member_collect(struct parse *p, const struct zip_member *m,
    struct torch_storages *all, struct torch_views *w);

#endif /* !FORMATS_TORCH_MEMBER_H_ */
