#ifndef ANALYZER_INTAKE_TAR_WORKER_H_
#define ANALYZER_INTAKE_TAR_WORKER_H_

struct bytesrc;
struct err;

/*
 * A foreign tar out of a descriptor, as the frames of custody/tar_frames.h.
 * Files with holes are sent whole, the holes as zeros, up to LIMIT_TAR_HOLES
 * of them.
 *
 * tar_worker: for proc_spawn; ${arg} is a const int *, the descriptor; enters
 * the fence before the first byte.  tar_worker_read: the same of any source,
 * without fence; negative when it failed, and TAR_FAILED is to be sent.
 */
int tar_worker(void *arg, int out_fd);
int tar_worker_read(const struct bytesrc *src, int out_fd, struct err *e);

#endif /* !ANALYZER_INTAKE_TAR_WORKER_H_ */
