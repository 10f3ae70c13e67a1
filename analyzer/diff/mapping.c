#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/diff/mapping.h"
#include "base/ckd.h"
#include "base/err.h"

static const uint8_t nothing[1];

int
mapping_init(struct mapping *ret, int fd, uint64_t n, struct err *e)
{
	off_t end = lseek(fd, 0, SEEK_END);
	size_t len;
	void *p;

	/* Not fstat: some C libraries make it a call that the fence denies. */
	if (end < 0)
		return err_sys(e, errno, "cannot find the end of a file");
	if ((uint64_t)end < n)
		return err_set(e, ERR_TRUNC, "file is shorter than it was");
	if (!ckd_size(&len, n))
		return err_set(e, ERR_LIMIT, "file is too large to be mapped");
	if (n == 0) {
		*ret = (struct mapping){nothing, 0};
		return 0;
	}
	if ((p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		return err_sys(e, errno, "cannot map a file");
	/* Both sides are read from front to back, more than once. */
	(void)madvise(p, len, MADV_SEQUENTIAL);
	*ret = (struct mapping){p, n};
	return 0;
}

void
mapping_release(struct mapping *m)
{
	/* The kernel gave a pointer that may be written through; so may we. */
	if (m->n > 0)
		(void)munmap((void *)(uintptr_t)m->p, (size_t)m->n);
	*m = (struct mapping)MAPPING_INIT;
}
