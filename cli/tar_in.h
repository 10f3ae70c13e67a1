#ifndef CLI_TAR_IN_H_
#define CLI_TAR_IN_H_

struct err;
struct foreign;

/*
 * A foreign tar that comes in: ${path}, or "-" for standard input.  Its pump
 * and its fenced worker are started here, before a key is loaded.
 */
struct tar_in;
int tar_in_start(const char *path, struct tar_in **ret, struct err *e);
/* For foreign_tar; valid as long as ${t}. */
struct foreign *tar_in_foreign(struct tar_in *t);
void tar_in_free(struct tar_in *t);	/* NULL does nothing; ends both */

#endif /* !CLI_TAR_IN_H_ */
