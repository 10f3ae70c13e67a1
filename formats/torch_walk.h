#ifndef FORMATS_TORCH_WALK_H_
#define FORMATS_TORCH_WALK_H_

#include <stddef.h>

struct pv;
struct torch_views;

/*
 * torch_walk: every tensor below ${root} becomes a struct torch_view of
 * ${w}; names as torch_views.h says.  0, or negative.  Private to torch*.c.
 */
int torch_walk(struct torch_views *w, const struct pv *root,
    const char *prefix, size_t prefix_len);

#endif /* !FORMATS_TORCH_WALK_H_ */
