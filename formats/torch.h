#ifndef FORMATS_TORCH_H_
#define FORMATS_TORCH_H_

#include <stdbool.h>
#include <stddef.h>

struct parse;
struct zip_dir;

/*
 * PyTorch's zip layout (torch/serialization.py, caffe2/serialize/
 * inline_container.cc): <root>/data.pkl, <root>/data/<key> raw storages,
 * <root>/version; TorchScript adds constants.pkl and code/.  torch matches
 * names without case and takes the first of two.  Private to zip.c.
 */
bool torch_is(const struct zip_dir *d);

/*
 * torch_members: the members as events: storages as MEMBER_STORAGE, pickles
 * as "torch_pickle" (persistent ids have a meaning there), all else plain;
 * storages that are referenced are compared with those that are there.
 */
int torch_members(struct parse *p, const struct zip_dir *d);

/*
 * torch.package (torch/package/package_exporter.py): <root>/.data/version,
 * <root>/.data/<key>.storage, pickles, source.  *root is the length of the
 * root's name with its slash; the members come as those of torch_members.
 */
bool torch_is_package(const struct zip_dir *d, size_t *root);
int torch_package_members(struct parse *p, const struct zip_dir *d,
    size_t root);

#endif /* !FORMATS_TORCH_H_ */
