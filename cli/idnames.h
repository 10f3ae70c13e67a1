#ifndef CLI_IDNAMES_H_
#define CLI_IDNAMES_H_

#include <sys/types.h>

/*
 * Names of users and groups by the host's databases, each asked once: a
 * collection asks for every object.  NULL when there is none.  The text is
 * valid until the next call.
 */
const char *idnames_user(uid_t uid);
const char *idnames_group(gid_t gid);

#endif /* !CLI_IDNAMES_H_ */
